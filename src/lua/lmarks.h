/*
** The marks: what metatables and userdata say of how a value is written. They
** are a table that is the upvalue of each function that asks for them: a
** metatable or userdata -> the first letter of what it stands for. At the key
** "array" is the metatable that a decoded empty array gets.
** Knows nothing of JSON itself, of lua-cjson or of any metatable but its own:
** the Lua side adds those of other libraries, by __index when they are wanted.
*/
#ifndef OFOX_LMARKS_H
#define OFOX_LMARKS_H

#include "lua/lcompat.h"

#define OFOX_MARKS lua_upvalueindex(1)

enum ofox_mark {
  OFOX_UNMARKED = 0,
  OFOX_MARK_ARRAY = 'a',
  OFOX_MARK_OBJECT = 'o',
  OFOX_MARK_NULL = 'n',
  OFOX_MARK_EMPTY = 'e' /* an array, if it is empty */
};

/* What the value on top, or the metatable of the table on top, says.
** [-0, +0, e] */
enum ofox_mark ofox_getmark(lua_State *L);
enum ofox_mark ofox_getmetamark(lua_State *L);

/* Pushes new marks, and adds to the module's table, which is on top before,
** null, array_mt and object_mt, which they know. [-0, +1, m] */
void ofox_newmarks(lua_State *L);

#endif
