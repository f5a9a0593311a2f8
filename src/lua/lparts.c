/*
** The leaves as Lua functions (core.parts), and headers from and to Lua
** tables.
*/
#include "lua/lparts.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "base/times.h"

#define SCRATCH_T "ofox.scratch"
#define UNLIMITED ((size_t)-1)
#define FLOATS_PIECE 4096 /* letters at a time: whole quads, whole floats */

/* C memory in use while Lua functions that may raise are called. */
struct scratch {
  struct ofox_headers headers;
  struct ofox_redact secrets;
  struct ofox_buf a, b;
};

static int scratch_gc(lua_State *L) {
  struct scratch *s = lua_touserdata(L, 1);
  ofox_headers_free(&s->headers);
  ofox_redact_free(&s->secrets);
  ofox_buf_free(&s->a);
  ofox_buf_free(&s->b);
  return 0;
}

/* [-0, +1, e] */
static struct scratch *new_scratch(lua_State *L) {
  struct scratch *s = ofox_newobject(L, SCRATCH_T, sizeof(*s));
  ofox_headers_init(&s->headers);
  ofox_redact_init(&s->secrets);
  ofox_buf_init(&s->a, UNLIMITED);
  ofox_buf_init(&s->b, UNLIMITED);
  return s;
}

/* Raises what a leaf returned for 'arg', if it is negative. */
static void check(lua_State *L, int arg, int rc) {
  if (rc == OFOX_ECAP)
    luaL_argerror(L, arg, "too large");
  if (rc < 0)
    luaL_error(L, "not enough memory");
}

static struct ofox_span check_span(lua_State *L, int arg) {
  struct ofox_span s;
  s.p = luaL_checklstring(L, arg, &s.n);
  return s;
}

static int push_span(lua_State *L, struct ofox_span s) {
  lua_pushlstring(L, s.n == 0 ? "" : s.p, s.n);
  return 1;
}

static int fail(lua_State *L, const char *message) {
  lua_pushnil(L);
  lua_pushstring(L, message);
  return 2;
}

static int push_seconds(lua_State *L, double v) {
  if (isnan(v))
    lua_pushnil(L);
  else
    lua_pushnumber(L, v);
  return 1;
}

double ofox_checkmoment(lua_State *L, int arg) {
  double v = luaL_checknumber(L, arg);
  luaL_argcheck(L, v - v == 0, arg, "finite number expected");
  return v;
}

#define WANTED "headers are names with values, pairs or lines"

struct ofox_headers *ofox_newheaders(lua_State *L) {
  return &new_scratch(L)->headers;
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
  check(L, arg, ofox_headers_add(h, name, value));
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
  check(L, arg, ofox_headers_line(h, s.p, s.n));
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
  check(L, arg, ofox_headers_line(h, "HTTP/1.1 200", 12));
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
    key = lua_tonumber(L, -2); /* 0 for what is no number */
    luaL_argcheck(L, key >= 1 && key <= (lua_Number)count && key == floor(key),
                  arg, WANTED);
    lua_pop(L, 1);
  }
}

/* Pushes a text without secrets and as valid UTF-8. [-0, +1, e] */
static void push_clean(lua_State *L, struct scratch *s, struct ofox_span text,
                       struct ofox_redact *r) {
  if (r != NULL) {
    ofox_buf_clear(&s->a);
    check(L, 1, ofox_buf_addspan(&s->a, text));
    check(L, 1, ofox_redact_apply(r, &s->a));
    text = ofox_buf_span(&s->a);
  }
  if (ofox_utf8_valid(text) < text.n) {
    ofox_buf_clear(&s->b);
    check(L, 1, ofox_utf8_clean(&s->b, text));
    text = ofox_buf_span(&s->b);
  }
  push_span(L, text);
}

void ofox_pushheaders(lua_State *L, const struct ofox_headers *h,
                      struct ofox_redact *r) {
  struct scratch *s = new_scratch(L);
  struct ofox_span name, value;
  size_t i;
  lua_newtable(L);
  for (i = ofox_headers_count(h); i > 0; i--) { /* the first is set last */
    ofox_headers_at(h, i - 1, &name, &value);
    push_clean(L, s, name, r); /* a server may echo a key there as well */
    push_clean(L, s, value, r);
    lua_rawset(L, -3);
  }
  ofox_buf_free(&s->a);
  ofox_buf_free(&s->b);
  lua_remove(L, -2);
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
  push_seconds(L, v);
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
** parts.headers(lines) -> what the parser made of them: {status, version,
** complete, count, map, request_id, should_retry, codes = what each returned}
*/
static int parts_headers(lua_State *L) {
  struct ofox_headers *h;
  struct ofox_span line;
  size_t i, count;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  h = ofox_newheaders(L);
  lua_newtable(L);
  lua_newtable(L);
  count = ofox_rawlen(L, 1);
  for (i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, (int)i);
    line = check_span(L, -1);
    lua_pushinteger(L, ofox_headers_line(h, line.p, line.n));
    lua_rawseti(L, 4, (int)i);
    lua_pop(L, 1);
  }
  lua_setfield(L, 3, "codes");
  ofox_pushheaders(L, h, NULL);
  lua_setfield(L, 3, "map");
  push_span(L, ofox_headers_request_id(h));
  lua_setfield(L, 3, "request_id");
  lua_pushboolean(L, h->complete);
  lua_setfield(L, 3, "complete");
  set_number(L, "count", (double)ofox_headers_count(h));
  set_number(L, "status", h->status);
  set_number(L, "version", h->version);
  set_number(L, "should_retry", ofox_headers_should_retry(h));
  return 1;
}

/* A reader of times: text (and now) -> seconds or nil. */
static int read_time(lua_State *L, int (*f)(struct ofox_span s, double *out)) {
  double v = NAN;
  f(check_span(L, 1), &v);
  return push_seconds(L, v);
}

static int read_left(lua_State *L,
                     int (*f)(struct ofox_span s, double now, double *out)) {
  double v = NAN;
  f(check_span(L, 1), ofox_checkmoment(L, 2), &v);
  return push_seconds(L, v);
}

static int parts_seconds(lua_State *L) {
  return read_time(L, ofox_times_seconds);
}

static int parts_duration(lua_State *L) {
  return read_time(L, ofox_times_duration);
}

static int parts_date(lua_State *L) {
  return read_time(L, ofox_times_date);
}

static int parts_retry_after(lua_State *L) {
  return read_left(L, ofox_times_retry_after);
}

static int parts_reset(lua_State *L) {
  return read_left(L, ofox_times_reset);
}

static int parts_base64_encode(lua_State *L) {
  struct ofox_span in = check_span(L, 1);
  struct scratch *s = new_scratch(L);
  check(L, 1, ofox_base64_encode(&s->a, in));
  return push_span(L, ofox_buf_span(&s->a));
}

static int parts_base64_decode(lua_State *L) {
  struct ofox_span in = check_span(L, 1);
  struct scratch *s = new_scratch(L);
  int rc = ofox_base64_decode(&s->a, in);
  if (rc == OFOX_ESYNTAX)
    return fail(L, "not base64");
  check(L, 1, rc);
  return push_span(L, ofox_buf_span(&s->a));
}

static int parts_utf8_clean(lua_State *L) {
  struct ofox_span in = check_span(L, 1);
  push_clean(L, new_scratch(L), in, NULL);
  return 1;
}

static int parts_utf8_cut(lua_State *L) {
  struct ofox_span in = check_span(L, 1);
  lua_Integer max = luaL_checkinteger(L, 2);
  return push_span(L, ofox_utf8_cut(in, max < 0 ? 0 : (size_t)max));
}

/* parts.redact(text, {secrets}) */
static int parts_redact(lua_State *L) {
  struct ofox_span text = check_span(L, 1);
  struct scratch *s;
  size_t i, count;
  luaL_checktype(L, 2, LUA_TTABLE);
  s = new_scratch(L);
  count = ofox_rawlen(L, 2);
  for (i = 1; i <= count; i++) {
    lua_rawgeti(L, 2, (int)i);
    check(L, 2, ofox_redact_secret(&s->secrets, check_span(L, -1)));
    lua_pop(L, 1);
  }
  check(L, 1, ofox_buf_addspan(&s->a, text));
  check(L, 1, ofox_redact_apply(&s->secrets, &s->a));
  return push_span(L, ofox_buf_span(&s->a));
}

static double float_at(const unsigned char *p) {
  uint32_t bits = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                  (uint32_t)p[3] << 24;
  float f;
  memcpy(&f, &bits, sizeof(f));
  return (double)f;
}

/* core.floats(text) -> list of numbers from base64 of little-endian float32;
** or nil, message */
static int core_floats(lua_State *L) {
  unsigned char bytes[FLOATS_PIECE / 4 * 3];
  struct ofox_span in = check_span(L, 1), piece;
  size_t size, i, n;
  int count = 0;
  if (ofox_base64_measure(&in, &size) != 0)
    return fail(L, "embedding is not base64");
  if (size % 4 != 0 || size / 4 > INT_MAX)
    return fail(L, "embedding is no list of float32");
  lua_createtable(L, (int)(size / 4), 0);
  for (; in.n > 0; in.p += piece.n, in.n -= piece.n) {
    piece.p = in.p;
    piece.n = in.n < FLOATS_PIECE ? in.n : FLOATS_PIECE;
    if (ofox_base64_bytes(bytes, piece) != 0)
      return fail(L, "embedding is not base64");
    n = piece.n * 3 / 4;
    for (i = 0; i < n; i += 4) {
      lua_pushnumber(L, float_at(bytes + i));
      lua_rawseti(L, -2, ++count);
    }
  }
  return 1;
}

/* clang-format off */
static const luaL_Reg core[] = {
  {"floats", core_floats},
  {NULL, NULL}
};

static const luaL_Reg parts[] = {
  {"base64_decode", parts_base64_decode},
  {"base64_encode", parts_base64_encode},
  {"date", parts_date}, {"delay", parts_delay}, {"duration", parts_duration},
  {"headers", parts_headers}, {"ratelimit", parts_ratelimit},
  {"redact", parts_redact}, {"reset", parts_reset},
  {"retry_after", parts_retry_after}, {"seconds", parts_seconds},
  {"utf8_clean", parts_utf8_clean}, {"utf8_cut", parts_utf8_cut},
  {NULL, NULL}
};
/* clang-format on */

void ofox_open_parts(lua_State *L) {
  luaL_newmetatable(L, SCRATCH_T);
  lua_pushcfunction(L, scratch_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  ofox_setfuncs(L, core);
  lua_newtable(L);
  ofox_setfuncs(L, parts);
  lua_setfield(L, -2, "parts");
}
