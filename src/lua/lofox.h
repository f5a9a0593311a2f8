/*
** Shared by all files of the binding: classes of userdata, arguments, and
** values as messages show them.
*/
#ifndef OFOX_LOFOX_H
#define OFOX_LOFOX_H

#include "base/buf.h"
#include "lua/lcompat.h"

#define OFOX_VERSION "0.1.0"

/* The objects are built with hidden visibility; only luaopen_* is exported. */
#if defined(__GNUC__)
#define OFOX_EXPORT __attribute__((visibility("default"))) extern
#else
#define OFOX_EXPORT extern
#endif

/* The class of calls, which core creates and the engine uses. */
#define OFOX_CALL_T "ofox.call"

/* Sets a field of the table on top. [-0, +0, e] */
void ofox_setnumber(lua_State *L, const char *name, double n);

/* Registers 'fns' into the table on top of the stack. [-0, +0, m] */
void ofox_setfuncs(lua_State *L, const luaL_Reg *fns);

/* Creates the class 'tname', whose objects 'gc' frees. [-0, +0, m] */
void ofox_newclass(lua_State *L, const char *tname, lua_CFunction gc);

/*
** Registers the methods of the class whose metatable is at 'meta': it becomes
** their upvalue, which is faster than a lookup by name. [-0, +0, e]
*/
void ofox_setmethods(lua_State *L, int meta, const luaL_Reg *fns);

/* In such a method: the object at 1, or an argument error. [-0, +0, e] */
void *ofox_self(lua_State *L, const char *tname);

/*
** Zeroed userdata whose metatable 'tname' already exists: acquire nothing
** before __gc can see it. [-0, +1, m]
*/
void *ofox_newobject(lua_State *L, const char *tname, size_t size);

/* The string argument 'arg'. [-0, +0, e] */
struct ofox_span ofox_checkspan(lua_State *L, int arg);

/* [-0, +1, m] */
void ofox_pushspan(lua_State *L, struct ofox_span s);

/* Raises "not enough memory" unless 'rc' is 0. [-0, +0, e] */
void ofox_checkmemory(lua_State *L, int rc);

/* Raises the error of a function below the binding, if 'rc' is negative; the
** argument 'arg' was too large if that is the error. [-0, +0, e] */
void ofox_checkresult(lua_State *L, int arg, int rc);

/* Pushes the value at 'i' as a message may show it, like describe.value. For
** values that are not secret. [-0, +1, m] */
const char *ofox_describe(lua_State *L, int i);

#endif
