/*
** Lua values to JSON. Knows nothing of requests.
*/
#ifndef OFOX_LENCODE_H
#define OFOX_LENCODE_H

#include "base/buf.h"
#include "lua/lcompat.h"

/* Creates the class of what is being encoded. [-0, +0, m] */
void ofox_open_encode(lua_State *L);

/*
** Adds the value at 'arg', the params of a request, to 'out': lists known to
** the API by name are lists even if they are empty. 0; or -1, and a message
** is pushed. [-0, +0|1, e]
*/
int ofox_encode_to(lua_State *L, int arg, struct ofox_buf *out);

/* encode(value) -> bytes | nil, message; encode_request, the same as above */
int ofox_encode(lua_State *L);
int ofox_encode_request(lua_State *L);

#endif
