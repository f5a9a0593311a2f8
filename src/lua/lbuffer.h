/*
** Buffers owned by Lua: an error in Lua leaks none of their memory.
** Knows nothing of their contents.
*/
#ifndef OFOX_LBUFFER_H
#define OFOX_LBUFFER_H

#include "base/buf.h"
#include "lua/lcompat.h"

/* Pushes an empty buffer without a cap. It may be freed before Lua does so,
** and used again. [-0, +1, e] */
struct ofox_buf *ofox_newbuffer(lua_State *L);

#endif
