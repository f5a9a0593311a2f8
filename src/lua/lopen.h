/*
** The parts of core. Each function adds to the table on top of the stack,
** which stays there. [-0, +0, e]
*/
#ifndef OFOX_LOPEN_H
#define OFOX_LOPEN_H

#include "lua/lcompat.h"

void ofox_open_account(lua_State *L);  /* laccount.c */
void ofox_open_buffers(lua_State *L);  /* lbuffer.c: a class, no function */
void ofox_open_call(lua_State *L);     /* lcall.c */
void ofox_open_dialects(lua_State *L); /* ldelta.c */
void ofox_open_errors(lua_State *L);   /* lerrors.c */
void ofox_open_floats(lua_State *L);   /* lfloats.c */
void ofox_open_json(lua_State *L);     /* ljson.c */
void ofox_open_limits(lua_State *L);   /* llimits.c */
void ofox_open_machine(lua_State *L);  /* lmachine.c */
void ofox_open_retry(lua_State *L);    /* lretry.c */
void ofox_open_sharing(lua_State *L);  /* lsharing.c */
void ofox_open_sse(lua_State *L);      /* lsse.c */
void ofox_open_stats(lua_State *L);    /* lstats.c */
void ofox_open_template(lua_State *L); /* ltemplate.c */

/* Internal functions, for debugging and for the specs: core.parts. */
void ofox_open_delta(lua_State *L);   /* ldelta.c */
void ofox_open_headers(lua_State *L); /* lheaders.c */
void ofox_open_text(lua_State *L);    /* ltext.c */
void ofox_open_times(lua_State *L);   /* ltimes.c */

#endif
