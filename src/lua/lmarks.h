/*
** The marks: how metatables and userdata determine the encoding of a value.
** They are a table in the registry of the Lua state: a metatable or userdata
** -> a word whose first letter is below. The key "array" has the metatable for
** decoded empty arrays.
** Knows nothing of JSON itself, of lua-cjson or of any metatable but its own:
** the Lua side adds those of other libraries, by __index on demand.
*/
#ifndef OFOX_LMARKS_H
#define OFOX_LMARKS_H

#include "lua/lcompat.h"

enum ofox_mark {
  OFOX_UNMARKED = 0,
  OFOX_MARK_ARRAY = 'a',
  OFOX_MARK_OBJECT = 'o',
  OFOX_MARK_NULL = 'n',
  OFOX_MARK_EMPTY = 'e' /* an array, if it is empty */
};

void ofox_pushmarks(lua_State *L); /* [-0, +1] */

/* Returns the mark of the value on top, or of its metatable if it is a table.
** [-0, +0, e] */
enum ofox_mark ofox_getmark(lua_State *L);
enum ofox_mark ofox_getmetamark(lua_State *L);

/* Pushes new marks, and adds the marked null, array_mt and object_mt to the
** module's table, which was on top before. [-0, +1, m] */
void ofox_newmarks(lua_State *L);

#endif
