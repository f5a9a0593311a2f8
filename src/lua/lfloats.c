/*
** ofox.core: embeddings, received as base64, as lists of numbers.
*/
#include "lua/lofox.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/base64.h"
#include "lua/lopen.h"

#define PIECE 4096   /* letters at a time: whole quads, whole floats */
#define AT_ONCE 8192 /* numbers on the stack: 128 KB */

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

/* Pushes the function that turns its arguments into a list: Lua's own
** constructor is three times as fast as lua_rawseti. [-0, +1, m] */
static void push_list_of(lua_State *L) {
  static const char source[] = "return {...}";
  int list_of = lua_upvalueindex(1);
  if (lua_isnil(L, list_of)) {
    if (luaL_loadbuffer(L, source, sizeof(source) - 1, "=ofox.core") != 0)
      lua_error(L);
    lua_replace(L, list_of);
  }
  lua_pushvalue(L, list_of);
}

static void push_all(lua_State *L, const unsigned char *p, size_t n) {
  const unsigned char *end = p + n;
  for (; p < end; p += 4)
    lua_pushnumber(L, float_at(p));
}

/* Appends to the list on top, after its first 'set' elements. */
static int set_all(lua_State *L, int set, const unsigned char *p, size_t n) {
  const unsigned char *end = p + n;
  for (; p < end; p += 4) {
    lua_pushnumber(L, float_at(p));
    lua_rawseti(L, -2, ++set);
  }
  return set;
}

/* core.floats(text) -> list of numbers from base64 of little-endian float32;
** or nil, message */
static int core_floats(lua_State *L) {
  unsigned char bytes[PIECE / 4 * 3];
  struct ofox_span in = ofox_checkspan(L, 1), piece;
  size_t size;
  int count, at_once, set = 0;
  if (ofox_base64_measure(&in, &size) != 0)
    return fail(L, "embedding is not base64");
  if (size % 4 != 0 || size / 4 > INT_MAX)
    return fail(L, "embedding is not a list of float32");
  count = (int)(size / 4);
  at_once = count <= AT_ONCE && lua_checkstack(L, count + LUA_MINSTACK);
  if (at_once)
    push_list_of(L);
  else
    lua_createtable(L, count, 0);
  for (; in.n > 0; in.p += piece.n, in.n -= piece.n) {
    piece.p = in.p;
    piece.n = in.n < PIECE ? in.n : PIECE;
    if (ofox_base64_bytes(bytes, piece) != 0)
      return fail(L, "embedding is not base64");
    if (at_once)
      push_all(L, bytes, piece.n * 3 / 4);
    else
      set = set_all(L, set, bytes, piece.n * 3 / 4);
  }
  if (at_once)
    lua_call(L, count, 1);
  return 1;
}

void ofox_open_floats(lua_State *L) {
  lua_pushnil(L);
  lua_pushcclosure(L, core_floats, 1);
  lua_setfield(L, -2, "floats");
}
