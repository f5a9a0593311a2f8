#include "lua/lofox.h"

#include <string.h>

void ofox_setnumber(lua_State *L, const char *name, double n) {
  lua_pushnumber(L, (lua_Number)n);
  lua_setfield(L, -2, name);
}

void ofox_setfuncs(lua_State *L, const luaL_Reg *fns) {
  for (; fns->name != NULL; fns++) {
    lua_pushcfunction(L, fns->func);
    lua_setfield(L, -2, fns->name);
  }
}

void ofox_newclass(lua_State *L, const char *tname, lua_CFunction gc) {
  luaL_newmetatable(L, tname);
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
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
    ours = lua_topointer(L, -1) == lua_topointer(L, lua_upvalueindex(1));
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

struct ofox_span ofox_checkspan(lua_State *L, int arg) {
  struct ofox_span s;
  s.p = luaL_checklstring(L, arg, &s.n);
  return s;
}

void ofox_pushspan(lua_State *L, struct ofox_span s) {
  lua_pushlstring(L, s.n == 0 ? "" : s.p, s.n);
}

void ofox_checkmemory(lua_State *L, int rc) {
  if (rc != 0)
    luaL_error(L, "not enough memory");
}

void ofox_checkresult(lua_State *L, int arg, int rc) {
  if (rc == OFOX_ECAP)
    luaL_argerror(L, arg, "too large");
  ofox_checkmemory(L, rc < 0);
}

static const char *describe_number(lua_State *L, int i) {
  lua_Number n = lua_tonumber(L, i);
  if (n != n)
    return lua_pushfstring(L, "NaN");
  if (n - n != 0)
    return lua_pushfstring(L, "%sinfinity", n > 0 ? "" : "-");
  lua_pushvalue(L, i);
  return lua_tostring(L, -1);
}

static const char *describe_string(lua_State *L, int i) {
  size_t n, k = 0;
  const char *s = lua_tolstring(L, i, &n);
  while (k < n && s[k] >= ' ' && s[k] < 127)
    k++;
  if (n > 40 || k < n)
    return lua_pushfstring(L, "a string of %d bytes", (int)n);
  return lua_pushfstring(L, "\"%s\"", s);
}

const char *ofox_describe(lua_State *L, int i) {
  switch (lua_type(L, i)) {
  case LUA_TNUMBER:
    return describe_number(L, i);
  case LUA_TSTRING:
    return describe_string(L, i);
  case LUA_TNONE:
  case LUA_TNIL:
    return lua_pushfstring(L, "nil");
  case LUA_TBOOLEAN:
    return lua_pushfstring(L, lua_toboolean(L, i) ? "true" : "false");
  default:
    return lua_pushfstring(L, "a %s", luaL_typename(L, i));
  }
}
