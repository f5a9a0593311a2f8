/*
** What a call is to be, from the arguments of core.call.
** Knows nothing of requests, or of what an option is called by a program.
*/
#ifndef OFOX_LSETTINGS_H
#define OFOX_LSETTINGS_H

#include "call/call.h"
#include "lua/lcompat.h"

/* The dialect that is named at 'arg', or an argument error. [-0, +0, e] */
enum ofox_dialect ofox_checkdialect(lua_State *L, int arg);

/*
** At 1 the settings, of which it reads retry, max_retries, the limits of time,
** max_response_bytes and max_event_bytes; at 3 how many models there are; at 4
** what the answer is expected to be; at 5 the dialect of its events, if it is
** a stream. What is behind them on the stack goes. [-?, +0, e]
*/
void ofox_checksettings(lua_State *L, struct ofox_call_config *config);

#endif
