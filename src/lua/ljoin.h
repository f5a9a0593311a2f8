/*
** Strings that arrived in pieces, each of them decoded separately.
*/
#ifndef OFOX_LJOIN_H
#define OFOX_LJOIN_H

#include "lua/lcompat.h"

/* json_join(text) -> valid UTF-8: complete pairs become characters, everything
** else that is invalid U+FFFD */
int ofox_join(lua_State *L);

#endif
