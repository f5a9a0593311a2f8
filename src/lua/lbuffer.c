#include "lua/lbuffer.h"

#include "lua/lofox.h"
#include "lua/lopen.h"

#define BUFFER_T "ofox.buffer"

static int buffer_gc(lua_State *L) {
  ofox_buf_free(luaL_checkudata(L, 1, BUFFER_T));
  return 0;
}

struct ofox_buf *ofox_newbuffer(lua_State *L) {
  struct ofox_buf *b = ofox_newobject(L, BUFFER_T, sizeof(*b));
  ofox_buf_init(b, (size_t)-1);
  return b;
}

void ofox_open_buffers(lua_State *L) {
  ofox_newclass(L, BUFFER_T, buffer_gc);
}
