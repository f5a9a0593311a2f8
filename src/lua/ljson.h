/*
** What the halves of the JSON binding share: the marks, and memory that
** outlives an error in Lua.
*/
#ifndef OFOX_LJSON_H
#define OFOX_LJSON_H

#include "lua/lofox.h"
#include "base/json.h"

/*
** The upvalue of all functions here: metatables and userdata that say how a
** value is written -> the first letter of what they stand for. At the key
** "array" is the metatable that a decoded empty array gets.
*/
#define OFOX_MARKS lua_upvalueindex(1)

enum ofox_mark {
  OFOX_UNMARKED = 0,
  OFOX_MARK_ARRAY = 'a',
  OFOX_MARK_OBJECT = 'o',
  OFOX_MARK_NULL = 'n',
  OFOX_MARK_EMPTY = 'e' /* an array, if it is empty */
};

#define OFOX_JSON_LONG 16 /* digits that a double may not hold */

#if LUA_VERSION_NUM >= 503
#define OFOX_INTEGERS 1
#else
#define OFOX_INTEGERS 0
#endif

/* What the value on top, or the metatable of the table on top, says. */
enum ofox_mark ofox_ljson_mark(lua_State *L);
enum ofox_mark ofox_ljson_metamark(lua_State *L);

/* An empty buffer that Lua collects. [-0, +1, e] */
struct ofox_buf *ofox_ljson_buffer(lua_State *L);

/* The string argument 'arg'. [-0, +0, e] */
struct ofox_span ofox_ljson_text(lua_State *L, int arg);

/* Puts right the value on top, which was decoded from 'text' (lpolish.c). It
** or what stands for it is on top then. [-0, +0 or 1, e] */
void ofox_lpolish(lua_State *L, struct ofox_span text);

/* Past the string or word at 'p' (lpolish.c); '*whole': of digits alone. */
const char *ofox_lpolish_string(const char *p, const char *e);
const char *ofox_lpolish_word(const char *p, const char *e, int *whole);

/* The functions of the module. */
int ofox_lencode(lua_State *L); /* lencode.c */
int ofox_ldecode(lua_State *L); /* ldecode.c */
int ofox_ljoin(lua_State *L);   /* ljoin.c */

#endif
