/*
** What the files of the binding share. Each ofox_open_* adds its functions to
** the table of the module, which is on top of the stack and stays there.
*/
#ifndef OFOX_LOFOX_H
#define OFOX_LOFOX_H

#include "lua/lcompat.h"
#include "wire/error.h"
#include "wire/headers.h"
#include "wire/redact.h"
#include "policy/retry.h"

#define OFOX_VERSION "0.1.0"

/* The objects are built with hidden visibility; luaopen_* alone is seen. */
#if defined(__GNUC__)
#define OFOX_EXPORT __attribute__((visibility("default"))) extern
#else
#define OFOX_EXPORT extern
#endif

#define OFOX_CALL_T "ofox.call"
#define OFOX_ENGINE_T "ofox.engine"

void ofox_open_machine(lua_State *L); /* lmachine.c */
void ofox_open_parts(lua_State *L);   /* lparts.c */
void ofox_open_json(lua_State *L);    /* ljson.c */
void ofox_open_errors(lua_State *L);  /* lerrors.c */
void ofox_open_retry(lua_State *L);   /* lretry.c */
void ofox_open_call(lua_State *L);    /* lcall.c */
void ofox_open_sse(lua_State *L);     /* lsse.c */
void ofox_open_delta(lua_State *L);   /* ldelta.c, after the parts */

/* Registers 'fns' into the table on top of the stack. [-0, +0] */
void ofox_setfuncs(lua_State *L, const luaL_Reg *fns);

/*
** The same for the methods of the class whose metatable is at 'meta': they
** find it as their upvalue, which is quicker than its name. [-0, +0, e]
*/
void ofox_setmethods(lua_State *L, int meta, const luaL_Reg *fns);

/* In such a method: the object at 1, or an argument error. [-0, +0, e] */
void *ofox_self(lua_State *L, const char *tname);

/* Pushes the value at 'i' as a message may show it: as check.describe has it.
** For what is no secret. [-0, +1, m] */
const char *ofox_describe(lua_State *L, int i);

/*
** Zeroed userdata whose metatable 'tname' exists already: nothing is acquired
** before __gc can see it. [-0, +1]
*/
void *ofox_newobject(lua_State *L, const char *tname, size_t size);

/*
** Pushes a table with the fields that an error body and status give: type,
** class, code, message, status, param, retryable, server_type, request_id.
** Absent ones stay nil. [-0, +1, e]
*/
void ofox_pusherror(lua_State *L, const struct ofox_error *e);

/* Pushes a table lower-case name -> value (the first of duplicates), valid
** UTF-8, without secrets ('r' may be NULL). [-0, +1, e] */
void ofox_pushheaders(lua_State *L, const struct ofox_headers *h,
                      struct ofox_redact *r);

/* Pushes the ratelimit table, or nil if no such header came. [-0, +1, e] */
void ofox_pushratelimit(lua_State *L, const struct ofox_ratelimit *r);

/* Policy at 'arg': nil, a name or a table; misuse raises. [-0, +0, e] */
void ofox_checkpolicy(lua_State *L, int arg, struct ofox_policy *p);

#endif
