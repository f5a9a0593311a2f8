/*
** JSON to Lua values, around a decoder, which is an argument.
** Knows nothing of answers, or of which decoder it is.
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
