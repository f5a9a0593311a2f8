/*
** ofox.core: embeddings, which come as base64, as lists of numbers.
*/
#include "lua/lofox.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/base64.h"
#include "lua/lopen.h"

#define PIECE 4096 /* letters at a time: whole quads, whole floats */

static int fail(lua_State *L, const char *message) {
  lua_pushnil(L);
  lua_pushstring(L, message);
  return 2;
}

static double float_at(const unsigned char *p) {
  uint32_t bits = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                  (uint32_t)p[3] << 24;
  float f;
  memcpy(&f, &bits, sizeof(f));
  return (double)f;
}

/* core.floats(text) -> list of numbers from base64 of little-endian float32;
** or nil, message */
static int core_floats(lua_State *L) {
  unsigned char bytes[PIECE / 4 * 3];
  struct ofox_span in = ofox_checkspan(L, 1), piece;
  size_t size, i, n;
  int count = 0;
  if (ofox_base64_measure(&in, &size) != 0)
    return fail(L, "embedding is not base64");
  if (size % 4 != 0 || size / 4 > INT_MAX)
    return fail(L, "embedding is no list of float32");
  lua_createtable(L, (int)(size / 4), 0);
  for (; in.n > 0; in.p += piece.n, in.n -= piece.n) {
    piece.p = in.p;
    piece.n = in.n < PIECE ? in.n : PIECE;
    if (ofox_base64_bytes(bytes, piece) != 0)
      return fail(L, "embedding is not base64");
    n = piece.n * 3 / 4;
    for (i = 0; i < n; i += 4) {
      lua_pushnumber(L, float_at(bytes + i));
      lua_rawseti(L, -2, ++count);
    }
  }
  return 1;
}

static const luaL_Reg FUNCTIONS[] = {
    {"floats", core_floats},
    {NULL, NULL},
};

void ofox_open_floats(lua_State *L) {
  ofox_setfuncs(L, FUNCTIONS);
}
