#include "lofox.h"

#include <string.h>

void ofox_setfuncs(lua_State *L, const luaL_Reg *fns) {
  for (; fns->name != NULL; fns++) {
    lua_pushcfunction(L, fns->func);
    lua_setfield(L, -2, fns->name);
  }
}

void ofox_setmethods(lua_State *L, int meta, const luaL_Reg *fns) {
  for (; fns->name != NULL; fns++) {
    lua_pushvalue(L, meta);
    lua_pushcclosure(L, fns->func, 1);
    lua_setfield(L, -2, fns->name);
  }
}

void *ofox_self(lua_State *L, const char *tname) {
  void *p = lua_touserdata(L, 1);
  int ours;
  if (p != NULL && lua_getmetatable(L, 1)) {
    ours = lua_rawequal(L, -1, lua_upvalueindex(1));
    lua_pop(L, 1);
    if (ours)
      return p;
  }
  return luaL_checkudata(L, 1, tname);
}

void *ofox_newobject(lua_State *L, const char *tname, size_t size) {
  void *p = ofox_newuserdata(L, size);
  memset(p, 0, size);
  luaL_getmetatable(L, tname);
  lua_setmetatable(L, -2);
  return p;
}
