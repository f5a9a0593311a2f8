/*
** The writer of request bodies: Lua values to JSON bytes. Members go by name:
** Lua's own order differs from one process to the next.
*/
#include "lua/lencode.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/sorted_names.h"
#include "base/utf8.h"
#include "lua/lmarks.h"
#include "lua/lnumber.h"
#include "lua/lofox.h"
#include "lua/lpath.h"

#define MIXED "a table with both list items and named fields"
#define WRITER_T "ofox.writer"
static const char NO_MEMORY[] = "not enough memory";

/* Lua collects it: a raised error loses no memory. */
struct writer {
  struct ofox_buf *out; /* 'to', or where a name goes */
  struct ofox_buf *to;  /* 'bytes', or the caller's */
  struct ofox_buf bytes;
  struct ofox_sorted_names names;
  const char *why; /* static: what cannot be written */
  int of_request;  /* lists of the API are known by name */
  int is_list;     /* the value to be written is such a list */
};

/* A table that is being written, and those around it. */
struct level {
  const struct level *up;
  const void *table;
  int depth;
};

static int fail(struct writer *w, const char *why) {
  w->why = why;
  return -1;
}

/* The result of a buffer function as the result of a write. */
static int done(struct writer *w, int rc) {
  return rc == 0 ? 0 : fail(w, NO_MEMORY);
}

/* Bytes from 'p' that stand for themselves in a string. */
static size_t plain_run(const unsigned char *p, size_t n) {
  const uint64_t ones = UINT64_MAX / 255, highs = ones * 0x80;
  uint64_t w, quote, slash;
  size_t i = 0;
  for (; n - i >= sizeof(w); i += sizeof(w)) {
    memcpy(&w, p + i, sizeof(w));
    quote = w ^ ones * '"';
    slash = w ^ ones * '\\';
    if ((w | (w - ones * ' ') | (quote - ones) | (slash - ones)) & highs)
      break;
  }
  while (i < n && p[i] >= ' ' && p[i] < 0x80 && p[i] != '"' && p[i] != '\\')
    i++;
  return i;
}

static int put_escape(struct ofox_buf *out, unsigned char c) {
  static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
  static const char hex[] = "0123456789abcdef";
  const char *hit = memchr(from, c, sizeof(from) - 1);
  char e[6] = "\\u00";
  if (hit != NULL) {
    e[1] = to[hit - from];
    return ofox_buf_add(out, e, 2);
  }
  e[4] = hex[c >> 4];
  e[5] = hex[c & 15];
  return ofox_buf_add(out, e, 6);
}

static int write_string(struct writer *w, const char *s, size_t n) {
  const unsigned char *p = (const unsigned char *)s;
  struct ofox_span run;
  size_t plain;
  int rc = ofox_buf_reserve(w->out, n + 2);
  if (rc == 0)
    rc = ofox_buf_addc(w->out, '"');
  while (rc == 0 && n > 0) {
    plain = plain_run(p, n);
    run.p = (const char *)p;
    for (run.n = plain; run.n < n && p[run.n] >= 0x80;)
      run.n++;
    if (run.n == 0) {
      rc = put_escape(w->out, *p);
      p++;
      n--;
      continue;
    }
    if (run.n > plain && ofox_utf8_valid(run) != run.n)
      return fail(w, "invalid UTF-8");
    rc = ofox_buf_addspan(w->out, run);
    p += run.n;
    n -= run.n;
  }
  return done(w, rc != 0 ? rc : ofox_buf_addc(w->out, '"'));
}

static int write_number(lua_State *L, struct writer *w, int idx) {
  int rc = ofox_putnumber(L, w->out, idx);
  lua_Number n;
  if (rc != OFOX_ESYNTAX)
    return done(w, rc);
  n = lua_tonumber(L, idx);
  return fail(w,
              n != n ? "NaN has no JSON form" : "infinity has no JSON form");
}

/*
** Length of the list on top, whose keys come in no order: each of 1 to n must
** be there and nothing else. -1 and a reason if not. [-0, +0]
*/
static long list_length(lua_State *L, struct writer *w) {
  lua_Number k, max = 0;
  long count = 0;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TNUMBER) {
      lua_pop(L, 2);
      return fail(w, MIXED);
    }
    k = lua_tonumber(L, -2);
    if (k > max)
      max = k;
    if (k < 1 || floor(k) != k)
      max = HUGE_VAL;
    count++;
  }
  if (max != (lua_Number)count)
    return fail(w, "a list with holes (ofox.object{} makes it an object)");
  return count;
}

/*
** The writers below have the value on top and leave it there. Where one fails,
** the keys and values above the root are the path to the offender.
*/
static int write_value(lua_State *L, struct writer *w, const struct level *up);

static int write_odd_list(lua_State *L, struct writer *w,
                          const struct level *here) {
  long i, n = list_length(L, w);
  if (n < 0)
    return -1;
  for (i = 1; i <= n; i++) {
    lua_pushinteger(L, (lua_Integer)i);
    lua_rawgeti(L, -2, (int)i);
    if ((i > 1 && done(w, ofox_buf_addc(w->out, ',')) != 0) ||
        write_value(L, w, here) != 0)
      return -1;
    lua_pop(L, 2);
  }
  return 0;
}

static int write_list(lua_State *L, struct writer *w,
                      const struct level *here) {
  size_t start = w->out->n;
  long i;
  lua_pushnil(L);
  for (i = 1; lua_next(L, -2); i++) {
    /* lua_next keeps the order of lists, unless they grew in odd ways */
    if (lua_type(L, -2) != LUA_TNUMBER ||
        lua_tonumber(L, -2) != (lua_Number)i) {
      lua_pop(L, 2);
      w->out->n = start;
      return write_odd_list(L, w, here);
    }
    if ((i > 1 && done(w, ofox_buf_addc(w->out, ',')) != 0) ||
        write_value(L, w, here) != 0)
      return -1;
    lua_pop(L, 1);
  }
  return 0;
}

/* Notes the key below the top. Numbers are names only where a mark says so. */
static int add_name(lua_State *L, struct writer *w, int numbers) {
  struct ofox_name name = {0};
  name.kind = lua_type(L, -2);
  name.at = w->names.bytes.n;
  if (name.kind == LUA_TSTRING) {
    name.from = lua_tolstring(L, -2, &name.n);
    return done(w, ofox_sorted_names_add(&w->names, &name));
  }
  if (name.kind != LUA_TNUMBER || !numbers) {
    lua_pop(L, 2);
    return fail(w,
                name.kind == LUA_TNUMBER ? MIXED : "a key that is no string");
  }
  w->out = &w->names.bytes;
  if (write_number(L, w, -2) != 0)
    return -1;
  w->out = w->to;
  name.key.d = (double)lua_tonumber(L, -2);
  if (ofox_isinteger(L, -2)) {
    name.kind = LUA_TNONE;
    name.key.i = lua_tointeger(L, -2);
  }
  return done(w, ofox_sorted_names_add(&w->names, &name));
}

/* The key that was noted as 'name', and its value. [-0, +2, e] */
static void push_member(lua_State *L, const struct writer *w,
                        const struct ofox_name *name) {
  if (name->kind == LUA_TSTRING)
    lua_pushlstring(L, w->names.bytes.p + name->at, name->n);
  else if (name->kind == LUA_TNUMBER)
    lua_pushnumber(L, (lua_Number)name->key.d);
  else
    lua_pushinteger(L, (lua_Integer)name->key.i);
  lua_pushvalue(L, -1);
  lua_rawget(L, -3);
}

/* Members that are lists wherever requests have them. */
static int is_list_name(const char *p, size_t n) {
  static const char *const names[] = {
      "allOf",      "anyOf",    "content",        "contents",   "enum",
      "examples",   "fallback", "include",        "input",      "messages",
      "modalities", "oneOf",    "output",         "parts",      "prefixItems",
      "required",   "stop",     "stop_sequences", "tool_calls", "tools",
  };
  size_t i;
  for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
    if (strlen(names[i]) == n && memcmp(names[i], p, n) == 0)
      return 1;
  }
  return 0;
}

static int write_object(lua_State *L, struct writer *w,
                        const struct level *here, int numbers) {
  size_t at, from = w->names.list.n, bytes = w->names.bytes.n, end;
  const char *comma = "";
  struct ofox_name name;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (add_name(L, w, numbers) != 0)
      return -1;
  }
  ofox_sorted_names_sort(&w->names, from);
  end = w->names.list.n;
  for (at = from; at < end; at += sizeof(name), lua_pop(L, 2)) {
    memcpy(&name, w->names.list.p + at, sizeof(name));
    push_member(L, w, &name);
    if (lua_isnil(L, -1))
      continue; /* collected from a weak table, or gone in a finalizer */
    if (done(w, ofox_buf_adds(w->out, comma)) != 0 ||
        write_string(w, w->names.bytes.p + name.at, name.n) != 0 ||
        done(w, ofox_buf_addc(w->out, ':')) != 0)
      return -1;
    w->is_list = w->of_request && lua_istable(L, -1) &&
                 is_list_name(w->names.bytes.p + name.at, name.n);
    if (write_value(L, w, here) != 0)
      return -1;
    comma = ",";
  }
  w->names.list.n = from;
  w->names.bytes.n = bytes;
  return 0;
}

static int write_table(lua_State *L, struct writer *w,
                       const struct level *up) {
  struct level here;
  const struct level *l;
  enum ofox_mark mark;
  int first = LUA_TNIL, list, rc, is_list = w->is_list;
  w->is_list = 0;
  here.up = up;
  here.table = lua_topointer(L, -1);
  here.depth = up == NULL ? 1 : up->depth + 1;
  for (l = up; l != NULL; l = l->up) {
    if (l->table == here.table)
      return fail(w, "a table that contains itself");
  }
  if (here.depth > OFOX_JSON_DEPTH)
    return fail(w, "nested too deeply");
  if (!lua_checkstack(L, 8))
    return fail(w, NO_MEMORY);
  mark = ofox_getmetamark(L);
  lua_pushnil(L);
  if (lua_next(L, -2)) {
    first = lua_type(L, -2);
    lua_pop(L, 2);
  }
  list = mark == OFOX_MARK_ARRAY ||
         (first == LUA_TNUMBER && mark != OFOX_MARK_OBJECT) ||
         (first == LUA_TNIL &&
          (mark == OFOX_MARK_EMPTY || (is_list && mark == OFOX_UNMARKED)));
  rc = ofox_buf_addc(w->out, list ? '[' : '{');
  if (rc != 0)
    return done(w, rc);
  rc = list ? write_list(L, w, &here)
            : write_object(L, w, &here, mark == OFOX_MARK_OBJECT);
  return rc != 0 ? rc : done(w, ofox_buf_addc(w->out, list ? ']' : '}'));
}

static int write_userdata(lua_State *L, struct writer *w) {
  switch (ofox_getmark(L)) {
  case OFOX_MARK_NULL:
    return done(w, ofox_buf_adds(w->out, "null"));
  case OFOX_MARK_ARRAY:
  case OFOX_MARK_EMPTY:
    return done(w, ofox_buf_adds(w->out, "[]"));
  default:
    return fail(w, "a userdata has no JSON form");
  }
}

static int write_value(lua_State *L, struct writer *w,
                       const struct level *up) {
  const char *s;
  size_t n;
  switch (lua_type(L, -1)) {
  case LUA_TSTRING:
    s = lua_tolstring(L, -1, &n);
    return write_string(w, s, n);
  case LUA_TTABLE:
    return write_table(L, w, up);
  case LUA_TNUMBER:
    return write_number(L, w, -1);
  case LUA_TBOOLEAN:
    s = lua_toboolean(L, -1) ? "true" : "false";
    return done(w, ofox_buf_adds(w->out, s));
  case LUA_TLIGHTUSERDATA:
  case LUA_TUSERDATA:
    return write_userdata(L, w);
  case LUA_TFUNCTION:
    return fail(w, "a function has no JSON form");
  case LUA_TTHREAD:
    return fail(w, "a coroutine has no JSON form");
  case LUA_TNIL:
    return fail(w, "nil has no JSON form");
  default:
    return fail(w, "a cdata has no JSON form");
  }
}

/* "messages[2].content: " with the reason. [-0, +1, e] */
static void push_failure(lua_State *L, struct writer *w, int root) {
  struct ofox_buf *out = &w->bytes;
  ofox_buf_clear(out);
  if (w->why == NO_MEMORY ||
      ofox_buf_reserve(out, OFOX_PATH_MAX + 2 + strlen(w->why)) != 0)
    luaL_error(L, NO_MEMORY);
  ofox_putpath(L, out, root + 1, lua_gettop(L) - 1);
  if (out->n > 0)
    (void)ofox_buf_adds(out, ": ");
  (void)ofox_buf_adds(out, w->why);
  lua_pushlstring(L, out->p, out->n);
}

static void free_writer(struct writer *w) {
  ofox_buf_free(&w->bytes);
  ofox_sorted_names_free(&w->names);
}

static int writer_gc(lua_State *L) {
  free_writer(luaL_checkudata(L, 1, WRITER_T));
  return 0;
}

void ofox_open_encode(lua_State *L) {
  ofox_newclass(L, WRITER_T, writer_gc);
}

static struct writer *push_writer(lua_State *L) {
  struct writer *w = ofox_newobject(L, WRITER_T, sizeof(*w));
  ofox_buf_init(&w->bytes, (size_t)-1);
  ofox_sorted_names_init(&w->names);
  w->out = w->to = &w->bytes;
  return w;
}

int ofox_encode_to(lua_State *L, int arg, struct ofox_buf *out) {
  int root = lua_gettop(L) + 2, rc;
  struct writer *w = push_writer(L);
  w->out = w->to = out;
  w->of_request = 1;
  lua_pushvalue(L, arg);
  rc = write_value(L, w, NULL);
  if (rc != 0)
    push_failure(L, w, root);
  free_writer(w);
  if (rc != 0)
    lua_replace(L, root - 1);
  lua_settop(L, root - 2 + (rc != 0));
  return rc;
}

/* Encodes the argument; its writer is made. */
static int encode(lua_State *L, int of_request) {
  struct writer *w;
  int rc;
  lua_settop(L, 1);
  w = push_writer(L);
  w->of_request = of_request;
  lua_insert(L, 1);
  rc = write_value(L, w, NULL);
  if (rc == 0) {
    lua_pushlstring(L, w->bytes.p, w->bytes.n);
  }
  else {
    push_failure(L, w, 2);
    lua_pushnil(L);
    lua_insert(L, -2);
  }
  free_writer(w);
  return rc == 0 ? 1 : 2;
}

int ofox_encode(lua_State *L) {
  return encode(L, 0);
}

int ofox_encode_request(lua_State *L) {
  return encode(L, 1);
}
