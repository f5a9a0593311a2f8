/*
** Strings that came in pieces, each of them decoded by itself.
*/
#ifndef OFOX_LJOIN_H
#define OFOX_LJOIN_H

#include "lua/lcompat.h"

/* json_join(text) -> valid UTF-8: pairs whose halves are there are characters,
** what else is invalid is U+FFFD */
int ofox_join(lua_State *L);

#endif
