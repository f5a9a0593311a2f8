/*
** The configuration of a call, from the program's settings.
** Knows nothing of requests, or of the names of a program's options.
*/
#ifndef OFOX_LSETTINGS_H
#define OFOX_LSETTINGS_H

#include "call/call.h"
#include "lua/lcompat.h"

/* The dialect named at 'arg', or an argument error. [-0, +0, e] */
const struct ofox_dialect *ofox_checkdialect(lua_State *L, int arg);

/*
** Reads from the settings at 'arg': retry, max_retries, the time limits,
** max_response_bytes and max_event_bytes. 1 if the policy has a seed, which
** '*seed' then is. [-0, +0, e]
*/
int ofox_checksettings(lua_State *L, int arg, struct ofox_call_config *config,
                       uint64_t *seed);

/*
** Reads from the shape at 'arg': 'expect', what the answer should be ("object"
** by default), and 'dialect', of its events if it is a stream.
** [-0, +0, e]
*/
void ofox_checkshape(lua_State *L, int arg,
                     struct ofox_response_config *config);

/* A unique seed, for an object that is created now. */
uint64_t ofox_newseed(const void *of, double now);

#endif
