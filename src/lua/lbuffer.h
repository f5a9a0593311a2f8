/*
** Buffers that Lua collects: an error in Lua loses none of their memory.
** Knows nothing of what is in them.
*/
#ifndef OFOX_LBUFFER_H
#define OFOX_LBUFFER_H

#include "base/buf.h"
#include "lua/lcompat.h"

/* An empty buffer without a cap. It may be freed before Lua does so: it is
** usable again. [-0, +1, e] */
struct ofox_buf *ofox_newbuffer(lua_State *L);

#endif
