/*
** What a call is to be, from what a program has set.
** Knows nothing of requests, or of what an option is called by a program.
*/
#ifndef OFOX_LSETTINGS_H
#define OFOX_LSETTINGS_H

#include "call/call.h"
#include "lua/lcompat.h"

/* The dialect that is named at 'arg', or an argument error. [-0, +0, e] */
enum ofox_dialect ofox_checkdialect(lua_State *L, int arg);

/*
** Of the settings at 'arg' it reads retry, max_retries, the limits of time,
** max_response_bytes and max_event_bytes. 1 if the policy has a seed, which
** '*seed' is then. [-0, +0, e]
*/
int ofox_checksettings(lua_State *L, int arg, struct ofox_call_config *config,
                       uint64_t *seed);

/*
** Of the shape at 'arg': 'expect', what the answer is to be ("object" if
** nothing is said), and 'dialect', of its events if it is a stream.
** [-0, +0, e]
*/
void ofox_checkshape(lua_State *L, int arg,
                     struct ofox_response_config *config);

/* A seed that no other call has: of an object that is made now. */
uint64_t ofox_newseed(const void *of, double now);

#endif
