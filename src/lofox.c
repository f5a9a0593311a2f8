#include "lofox.h"

#include <string.h>

void ofox_setfuncs(lua_State *L, const luaL_Reg *fns) {
  for (; fns->name != NULL; fns++) {
    lua_pushcfunction(L, fns->func);
    lua_setfield(L, -2, fns->name);
  }
}

void *ofox_newobject(lua_State *L, const char *tname, size_t size) {
  void *p = ofox_newuserdata(L, size);
  memset(p, 0, size);
  luaL_getmetatable(L, tname);
  lua_setmetatable(L, -2);
  return p;
}
