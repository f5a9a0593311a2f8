/*
** ofox.core: JSON for Lua. The writer is lencode.c; around the decoder are
** ldecode.c and lpolish.c.
*/
#include "base/json.h"
#include "lua/ldecode.h"
#include "lua/lencode.h"
#include "lua/ljoin.h"
#include "lua/lmarks.h"
#include "lua/lofox.h"
#include "lua/lopen.h"
#include "lua/lpolish.h"

/* polish(value, text) -> value, which was decoded from 'text' */
static int json_polish(lua_State *L) {
  struct ofox_span text = ofox_checkspan(L, 2);
  lua_settop(L, 2);
  lua_insert(L, 1); /* the text stays reachable */
  ofox_polish(L, text);
  return 1;
}

/* json_check(text) -> true | nil, "incomplete"|"broken", position from 1 [,
** what is there] */
static int json_check(lua_State *L) {
  struct ofox_span text = ofox_checkspan(L, 1);
  const char *problem;
  size_t pos;
  int rc = ofox_json_check(text, &pos);
  if (rc == 1) {
    lua_pushboolean(L, 1);
    return 1;
  }
  problem = rc < 0 ? ofox_json_problem(text, pos) : NULL;
  lua_pushnil(L);
  lua_pushstring(L, rc == 0 ? "incomplete" : "broken");
  lua_pushinteger(L, (lua_Integer)pos + 1);
  if (problem == NULL)
    return 3;
  lua_pushstring(L, problem);
  return 4;
}

/* Functions that ask the marks. */
static const luaL_Reg MARKED[] = {
    {"decode", ofox_decode},
    {"encode", ofox_encode},
    {"encode_request", ofox_encode_request},
    {"polish", json_polish},
    {NULL, NULL},
};

static const luaL_Reg FUNCTIONS[] = {
    {"json_check", json_check},
    {"json_join", ofox_join},
    {NULL, NULL},
};

void ofox_open_json(lua_State *L) {
  const luaL_Reg *f;
  ofox_open_encode(L);
  ofox_setfuncs(L, FUNCTIONS);
  ofox_newmarks(L);
  for (f = MARKED; f->name != NULL; f++) {
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, f->func, 1);
    lua_setfield(L, -3, f->name);
  }
  lua_setfield(L, -2, "json_marks");
}
