/*
** ofox.core: JSON for Lua. lencode.c encodes, ldecode.c decodes; lforeign.c
** and lpolish.c adapt other decoders.
*/
#include "base/json.h"
#include "lua/ldecode.h"
#include "lua/lencode.h"
#include "lua/lforeign.h"
#include "lua/ljoin.h"
#include "lua/lmarks.h"
#include "lua/lofox.h"
#include "lua/lopen.h"
#include "lua/lpolish.h"

/* decode(text [, piece]) -> value [, rough] | nil, message. 'piece': halves of
** characters stay in the strings, for ofox_join; 'rough': there are some, or
** bad UTF-8. */
static int json_decode(lua_State *L) {
  struct ofox_span text = ofox_checkspan(L, 1);
  unsigned flags = lua_toboolean(L, 2) ? OFOX_DECODE_HALVES : 0;
  size_t pos;
  int rc = ofox_decode(L, text, flags, &pos);
  if (rc > 0 && flags == 0)
    return 1;
  if (rc > 0) {
    lua_pushboolean(L, rc == OFOX_DECODED_ROUGH);
    return 2;
  }
  lua_pushnil(L);
  ofox_pushbroken(L, text, rc, pos);
  return 2;
}

/* polish(value, text) -> value, which was decoded from 'text' */
static int json_polish(lua_State *L) {
  struct ofox_span text = ofox_checkspan(L, 2);
  lua_settop(L, 2);
  lua_insert(L, 1); /* the text stays reachable */
  ofox_polish(L, text);
  return 1;
}

/* json_check(text) -> true | nil, "incomplete"|"broken", position from 1,
** message */
static int json_check(lua_State *L) {
  struct ofox_span text = ofox_checkspan(L, 1);
  size_t pos;
  int rc = ofox_json_check(text, &pos);
  if (rc == 1) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, rc == 0 ? "incomplete" : "broken");
  lua_pushinteger(L, (lua_Integer)pos + 1);
  ofox_pushbroken(L, text, rc, pos);
  return 4;
}

static const luaL_Reg FUNCTIONS[] = {
    {"decode", json_decode},    {"decode_by", ofox_decode_by},
    {"encode", ofox_encode},    {"encode_request", ofox_encode_request},
    {"json_check", json_check}, {"json_join", ofox_join},
    {"polish", json_polish},    {NULL, NULL},
};

void ofox_open_json(lua_State *L) {
  ofox_open_encode(L);
  ofox_setfuncs(L, FUNCTIONS);
  ofox_newmarks(L);
  ofox_open_decode(L);
  lua_setfield(L, -2, "json_marks");
}
