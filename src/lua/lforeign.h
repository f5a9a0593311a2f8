/*
** JSON to Lua values by a decoder other than ofox's: the text in a form that
** every decoder accepts, and the value as ofox_decode would return it.
** Knows nothing of answers, or of which decoder it is.
*/
#ifndef OFOX_LFOREIGN_H
#define OFOX_LFOREIGN_H

#include "lua/lcompat.h"

/*
** decode_by(text, decoder [, piece]) -> value, rough | nil [, message].
** 'piece': halves of characters stay in the strings, for ofox_join; 'rough':
** there are some. Of duplicate names the last counts, or the last that is not
** null.
*/
int ofox_decode_by(lua_State *L);

#endif
