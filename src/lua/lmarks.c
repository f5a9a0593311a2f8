#include "lua/lmarks.h"

static char key; /* where the marks are in the registry */

void ofox_pushmarks(lua_State *L) {
  lua_pushlightuserdata(L, &key);
  lua_rawget(L, LUA_REGISTRYINDEX);
}

enum ofox_mark ofox_getmark(lua_State *L) {
  enum ofox_mark m = OFOX_UNMARKED;
  ofox_pushmarks(L);
  lua_pushvalue(L, -2);
  lua_gettable(L, -2);
  if (lua_type(L, -1) == LUA_TSTRING)
    m = (enum ofox_mark) * lua_tostring(L, -1);
  lua_pop(L, 2);
  return m;
}

enum ofox_mark ofox_getmetamark(lua_State *L) {
  enum ofox_mark m;
  if (!lua_getmetatable(L, -1))
    return OFOX_UNMARKED;
  m = ofox_getmark(L);
  lua_pop(L, 1);
  return m;
}

/* Marks the value on top as 'mark'; the marks are below it. [-1, +0] */
static void add_mark(lua_State *L, const char *mark) {
  lua_pushstring(L, mark);
  lua_rawset(L, -3);
}

/* Sets an empty metatable as field 'name', and marks it. [-0, +0] */
static void add_metatable(lua_State *L, const char *name, const char *mark) {
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, name);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, mark);
  add_mark(L, mark);
}

void ofox_newmarks(lua_State *L) {
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  lua_newtable(L);
  add_metatable(L, "array_mt", "array");
  add_metatable(L, "object_mt", "object");
  lua_pushlightuserdata(L, NULL);
  add_mark(L, "null");
  lua_pushlightuserdata(L, &key);
  lua_pushvalue(L, -2);
  lua_rawset(L, LUA_REGISTRYINDEX);
}
