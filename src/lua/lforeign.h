/*
** JSON to Lua values by a decoder that is none of ours: the text as every
** decoder takes it, and the value as ofox_decode would give it.
** Knows nothing of answers, or of which decoder it is.
*/
#ifndef OFOX_LFOREIGN_H
#define OFOX_LFOREIGN_H

#include "lua/lcompat.h"

/*
** decode_by(text, decoder [, piece]) -> value, rough | nil [, message].
** 'piece': halves of characters stay in the strings, for ofox_join; 'rough'
** says that there are any. Of a name that comes twice the last counts, or the
** last that is not null. Its upvalue are the marks.
*/
int ofox_decode_by(lua_State *L);

#endif
