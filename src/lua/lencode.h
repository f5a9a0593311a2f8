/*
** Lua values to JSON. Knows nothing of requests.
*/
#ifndef OFOX_LENCODE_H
#define OFOX_LENCODE_H

#include "lua/lcompat.h"

/* Makes the class of what is being written. [-0, +0, m] */
void ofox_open_encode(lua_State *L);

/* encode(value) -> bytes | nil, message; its upvalue are the marks */
int ofox_encode(lua_State *L);

#endif
