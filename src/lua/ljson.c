/*
** JSON for Lua: the marks, and what the core's table offers. The writer is
** lencode.c; around the decoder are ldecode.c and lpolish.c.
*/
#include "lua/ljson.h"

#define BUFFER_T "ofox.buffer"

static int buffer_gc(lua_State *L) {
  ofox_buf_free(luaL_checkudata(L, 1, BUFFER_T));
  return 0;
}

struct ofox_buf *ofox_ljson_buffer(lua_State *L) {
  struct ofox_buf *b = ofox_newobject(L, BUFFER_T, sizeof(*b));
  ofox_buf_init(b, (size_t)-1);
  return b;
}

enum ofox_mark ofox_ljson_mark(lua_State *L) {
  enum ofox_mark m = OFOX_UNMARKED;
  lua_pushvalue(L, -1);
  lua_rawget(L, OFOX_MARKS);
  if (lua_type(L, -1) == LUA_TSTRING)
    m = (enum ofox_mark) * lua_tostring(L, -1);
  lua_pop(L, 1);
  return m;
}

enum ofox_mark ofox_ljson_metamark(lua_State *L) {
  enum ofox_mark m;
  if (!lua_getmetatable(L, -1))
    return OFOX_UNMARKED;
  m = ofox_ljson_mark(L);
  lua_pop(L, 1);
  return m;
}

struct ofox_span ofox_ljson_text(lua_State *L, int arg) {
  struct ofox_span s;
  s.p = luaL_checklstring(L, arg, &s.n);
  return s;
}

/* polish(value, text) -> value, which was decoded from 'text' */
static int json_polish(lua_State *L) {
  struct ofox_span text = ofox_ljson_text(L, 2);
  lua_settop(L, 2);
  lua_insert(L, 1); /* the text stays reachable */
  ofox_lpolish(L, text);
  return 1;
}

/* json_check(text) -> true | nil, "incomplete"|"broken", position from 1 [,
** what is there] */
static int json_check(lua_State *L) {
  struct ofox_span text = ofox_ljson_text(L, 1);
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

/* Marks what is on top as 'mark'; the marks are below it. [-1, +0] */
static void add_mark(lua_State *L, const char *mark) {
  lua_pushstring(L, mark);
  lua_rawset(L, -3);
}

/* An empty metatable as field 'name' of the module, and its mark. [-0, +0] */
static void add_metatable(lua_State *L, const char *name, const char *mark) {
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, name);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, mark);
  add_mark(L, mark);
}

void ofox_open_json(lua_State *L) {
  luaL_newmetatable(L, BUFFER_T);
  lua_pushcfunction(L, buffer_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  lua_pushcfunction(L, ofox_ljoin);
  lua_setfield(L, -2, "json_join");
  lua_pushcfunction(L, json_check);
  lua_setfield(L, -2, "json_check");
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  lua_newtable(L); /* the marks */
  add_metatable(L, "array_mt", "array");
  add_metatable(L, "object_mt", "object");
  lua_pushlightuserdata(L, NULL);
  add_mark(L, "null");
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "json_marks");
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, ofox_lencode, 1);
  lua_setfield(L, -3, "encode");
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, ofox_ldecode, 1);
  lua_setfield(L, -3, "decode");
  lua_pushcclosure(L, json_polish, 1);
  lua_setfield(L, -2, "polish");
}
