/*
** JSON to Lua values.
*/
#ifndef OFOX_LDECODE_H
#define OFOX_LDECODE_H

#include "lua/lcompat.h"

/*
** decode(text, decoder [, exact [, piece]]) -> value, rough | nil [, message].
** 'exact': the decoder gives integers where Lua has them. 'piece': halves of
** characters stay in the strings, for ofox_join; 'rough' says that there are
** any. Of a name that comes twice the last counts, or the last that is not
** null. Its upvalue are the marks.
*/
int ofox_decode(lua_State *L);

#endif
