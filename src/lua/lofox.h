/*
** What all files of the binding share: classes of userdata, arguments, and
** values as messages show them.
*/
#ifndef OFOX_LOFOX_H
#define OFOX_LOFOX_H

#include "base/buf.h"
#include "lua/lcompat.h"

#define OFOX_VERSION "0.1.0"

/* The objects are built with hidden visibility; luaopen_* alone is seen. */
#if defined(__GNUC__)
#define OFOX_EXPORT __attribute__((visibility("default"))) extern
#else
#define OFOX_EXPORT extern
#endif

/* The class of calls, which core makes and the engine takes. */
#define OFOX_CALL_T "ofox.call"

/* Registers 'fns' into the table on top of the stack. [-0, +0, m] */
void ofox_setfuncs(lua_State *L, const luaL_Reg *fns);

/* Makes the class 'tname', whose objects 'gc' frees. [-0, +0, m] */
void ofox_newclass(lua_State *L, const char *tname, lua_CFunction gc);

/*
** Registers the methods of the class whose metatable is at 'meta': they find
** it as their upvalue, which is quicker than its name. [-0, +0, e]
*/
void ofox_setmethods(lua_State *L, int meta, const luaL_Reg *fns);

/* In such a method: the object at 1, or an argument error. [-0, +0, e] */
void *ofox_self(lua_State *L, const char *tname);

/*
** Zeroed userdata whose metatable 'tname' exists already: nothing is acquired
** before __gc can see it. [-0, +1, m]
*/
void *ofox_newobject(lua_State *L, const char *tname, size_t size);

/* The string argument 'arg'. [-0, +0, e] */
struct ofox_span ofox_checkspan(lua_State *L, int arg);

/* [-0, +1, m] */
void ofox_pushspan(lua_State *L, struct ofox_span s);

/* Raises "not enough memory" unless 'rc' is 0. [-0, +0, e] */
void ofox_checkmemory(lua_State *L, int rc);

/* Raises what a function below the binding returned, if it is negative; what
** was too large is the argument 'arg'. [-0, +0, e] */
void ofox_checkresult(lua_State *L, int arg, int rc);

/* Pushes the value at 'i' as a message may show it: as check.describe has it.
** For what is no secret. [-0, +1, m] */
const char *ofox_describe(lua_State *L, int i);

#endif
