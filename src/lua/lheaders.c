/*
** ofox.core: headers from and to Lua tables, and their meaning (core.parts).
*/
#include "lua/lheaders.h"

#include <math.h>

#include "lua/lbuffer.h"
#include "lua/lofox.h"
#include "lua/lopen.h"
#include "lua/ltext.h"
#include "lua/ltimes.h"

#define HEADERS_T "ofox.headers"
#define ROOM_MAX 64 /* initial size of a table, at most */
#define WANTED "headers are names with values, pairs or lines"

struct ofox_headers *ofox_newheaders(lua_State *L) {
  struct ofox_headers *h = ofox_newobject(L, HEADERS_T, sizeof(*h));
  ofox_headers_init(h);
  return h;
}

/* Adds a header with the value on top of the stack. [-1, +0, e] */
static void add_field(lua_State *L, int arg, struct ofox_headers *h,
                      struct ofox_span name) {
  struct ofox_span value;
  if (lua_istable(L, -1)) {
    lua_rawgeti(L, -1, 1);
    lua_remove(L, -2);
  }
  if (!lua_isstring(L, -1))
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "header '%s' has a %s for a value",
                                  name.p, luaL_typename(L, -1)));
  value.p = lua_tolstring(L, -1, &value.n);
  ofox_checkresult(L, arg, ofox_headers_add(h, name, value));
  lua_pop(L, 1);
}

/* Adds the list element on top of the stack. [-1, +0, e] */
static void add_element(lua_State *L, int arg, struct ofox_headers *h) {
  struct ofox_span s;
  if (lua_istable(L, -1)) {
    lua_rawgeti(L, -1, 1);
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, arg, WANTED);
    s.p = lua_tolstring(L, -1, &s.n);
    lua_rawgeti(L, -2, 2);
    add_field(L, arg, h, s);
    lua_pop(L, 2);
    return;
  }
  luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, arg, WANTED);
  s.p = lua_tolstring(L, -1, &s.n);
  ofox_checkresult(L, arg, ofox_headers_line(h, s.p, s.n));
  lua_pop(L, 1);
}

void ofox_checkheaders(lua_State *L, int arg, struct ofox_headers *h) {
  struct ofox_span name;
  size_t i, count;
  lua_Number key;
  if (lua_isnoneornil(L, arg))
    return;
  luaL_checktype(L, arg, LUA_TTABLE);
  /* for lines without a status line */
  ofox_checkresult(L, arg, ofox_headers_line(h, "HTTP/1.1 200", 12));
  count = ofox_rawlen(L, arg);
  for (i = 1; i <= count; i++) {
    lua_rawgeti(L, arg, (int)i);
    add_element(L, arg, h);
  }
  lua_pushnil(L);
  while (lua_next(L, arg) != 0) {
    if (lua_type(L, -2) == LUA_TSTRING) {
      name.p = lua_tolstring(L, -2, &name.n);
      add_field(L, arg, h, name);
      continue;
    }
    key = lua_tonumber(L, -2); /* 0 for a value that is not a number */
    luaL_argcheck(L, key >= 1 && key <= (lua_Number)count && key == floor(key),
                  arg, WANTED);
    lua_pop(L, 1);
  }
}

/* Pushes a text as valid UTF-8, redacted unless 'r' is NULL.
** [-0, +1, e] */
static void push_clean(lua_State *L, struct ofox_span text,
                       struct ofox_redact *r) {
  struct ofox_buf *b;
  if (r == NULL) {
    ofox_pushutf8(L, text);
    return;
  }
  b = ofox_newbuffer(L);
  ofox_checkresult(L, 1, ofox_buf_addspan(b, text));
  ofox_checkresult(L, 1, ofox_redact_apply(r, b));
  ofox_pushutf8(L, ofox_buf_span(b));
  ofox_buf_free(b);
  lua_remove(L, -2);
}

void ofox_pushheaders(lua_State *L, const struct ofox_headers *h,
                      struct ofox_redact *r) {
  struct ofox_span name, value, both;
  struct ofox_redact *found = NULL;
  size_t pos = 0;
  lua_createtable(L, 0, h->lines < ROOM_MAX ? (int)h->lines : ROOM_MAX);
  while (ofox_headers_next(h, &pos, &name, &value)) {
    both.p = name.p; /* a server may echo a key in a name as well */
    both.n = (size_t)(value.p + value.n - name.p);
    if (r != NULL)
      found = ofox_redact_may_hold(r, both) ? r : NULL;
    push_clean(L, name, found);
    lua_pushvalue(L, -1);
    lua_rawget(L, -3);
    if (!lua_isnil(L, -1)) { /* the first of duplicates counts */
      lua_pop(L, 2);
      continue;
    }
    lua_pop(L, 1);
    push_clean(L, value, found);
    lua_rawset(L, -3);
  }
}

/* Sets a field of the table on top of the stack, but not to NaN. */
static int set_number(lua_State *L, const char *name, double v) {
  if (isnan(v))
    return 0;
  if (v == floor(v) && v < (sizeof(lua_Integer) > 4 ? 1e15 : 1e9))
    lua_pushinteger(L, (lua_Integer)v);
  else
    lua_pushnumber(L, v);
  lua_setfield(L, -2, name);
  return 1;
}

void ofox_pushratelimit(lua_State *L, const struct ofox_ratelimit *r) {
  int n = 0;
  lua_createtable(L, 0, 6);
  n += set_number(L, "limit_requests", r->limit_requests);
  n += set_number(L, "remaining_requests", r->remaining_requests);
  n += set_number(L, "reset_requests", r->reset_requests);
  n += set_number(L, "limit_tokens", r->limit_tokens);
  n += set_number(L, "remaining_tokens", r->remaining_tokens);
  n += set_number(L, "reset_tokens", r->reset_tokens);
  if (n == 0) {
    lua_pop(L, 1);
    lua_pushnil(L);
  }
}

/* parts.delay(headers, wall) -> seconds or nil, source */
static int parts_delay(lua_State *L) {
  double wall = ofox_checkmoment(L, 2), v;
  struct ofox_headers *h = ofox_newheaders(L);
  ofox_checkheaders(L, 1, h);
  lua_pushstring(L, ofox_source_name(ofox_headers_delay(h, wall, &v)));
  ofox_pushseconds(L, v);
  lua_insert(L, -2);
  return 2;
}

/* parts.ratelimit(headers, wall) -> table or nil */
static int parts_ratelimit(lua_State *L) {
  double wall = ofox_checkmoment(L, 2);
  struct ofox_headers *h = ofox_newheaders(L);
  struct ofox_ratelimit r;
  ofox_checkheaders(L, 1, h);
  ofox_headers_ratelimit(h, wall, &r);
  ofox_pushratelimit(L, &r);
  return 1;
}

/*
** parts.headers(lines) -> the parser's result: {status, version, complete,
** count, map, request_id, should_retry, codes = what each line returned}
*/
static int parts_headers(lua_State *L) {
  struct ofox_headers *h;
  struct ofox_span line, name;
  size_t i, count, pos = 0;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  h = ofox_newheaders(L);
  lua_newtable(L);
  lua_newtable(L);
  count = ofox_rawlen(L, 1);
  for (i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, (int)i);
    line = ofox_checkspan(L, -1);
    lua_pushinteger(L, ofox_headers_line(h, line.p, line.n));
    lua_rawseti(L, 4, (int)i);
    lua_pop(L, 1);
  }
  lua_setfield(L, 3, "codes");
  ofox_pushheaders(L, h, NULL);
  lua_setfield(L, 3, "map");
  ofox_pushspan(L, ofox_headers_request_id(h));
  lua_setfield(L, 3, "request_id");
  lua_pushboolean(L, h->complete);
  lua_setfield(L, 3, "complete");
  for (count = 0; ofox_headers_next(h, &pos, &name, &line); count++)
    ;
  set_number(L, "count", (double)count);
  set_number(L, "status", h->status);
  set_number(L, "version", h->version);
  set_number(L, "should_retry",
             ofox_headers_should_retry(ofox_headers_get(h, "x-should-retry")));
  return 1;
}

/* clang-format off */
static const luaL_Reg parts[] = {
  {"delay", parts_delay}, {"headers", parts_headers},
  {"ratelimit", parts_ratelimit},
  {NULL, NULL}
};
/* clang-format on */

static int headers_gc(lua_State *L) {
  ofox_headers_free(luaL_checkudata(L, 1, HEADERS_T));
  return 0;
}

void ofox_open_headers(lua_State *L) {
  ofox_newclass(L, HEADERS_T, headers_gc);
  ofox_setfuncs(L, parts);
}
