/*
** ofox.core: the parts that need no network.
*/
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

LUALIB_API int luaopen_ofox_core(lua_State *L);

LUALIB_API int luaopen_ofox_core(lua_State *L) {
  lua_getglobal(L, "_VERSION");
  if (lua_isstring(L, -1) && strcmp(lua_tostring(L, -1), LUA_VERSION) != 0)
    return luaL_error(L, "ofox.core was built for %s, but this is %s",
                      LUA_VERSION, lua_tostring(L, -1));
  lua_newtable(L);
  lua_pushliteral(L, OFOX_VERSION);
  lua_setfield(L, -2, "VERSION");
  ofox_open_parts(L);
  ofox_open_json(L);
  ofox_open_errors(L);
  ofox_open_retry(L);
  ofox_open_call(L);
  return 1;
}
