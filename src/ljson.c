/*
** JSON for Lua: the writer of request bodies, and what a decoded reply needs
** before a program sees it. Decoding itself is lua-cjson's work.
*/
#include "lofox.h"
#include "json.h"
#include "utf8.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BUFFER_T "ofox.buffer"

#define EXACT 9007199254740992.0 /* 2^53: integral doubles up to here */
#define PATH_CAP 128             /* bytes of a path in a message */
#define KEY_CAP 64               /* bytes of one key in it */
#define LONG_NUMBER 16           /* digits that a double may not hold */

/*
** The upvalue of encode and polish: metatables and userdata that say how a
** value is written -> the first letter of what they stand for. At the key
** "array" is the metatable that a decoded empty array gets.
*/
#define MARKS lua_upvalueindex(1)

enum mark {
  UNMARKED = 0,
  MARK_ARRAY = 'a',
  MARK_OBJECT = 'o',
  MARK_NULL = 'n',
  MARK_EMPTY = 'e' /* an array, if it is empty */
};

/* Memory that outlives an error in Lua. */
struct writer {
  struct ofox_buf out;
  const char *why; /* static: what cannot be written */
};

/* A table that is being written, and those around it. */
struct level {
  const struct level *up;
  const void *table;
  int depth;
};

static int buffer_gc(lua_State *L) {
  struct writer *w = luaL_checkudata(L, 1, BUFFER_T);
  ofox_buf_free(&w->out);
  return 0;
}

/* [-0, +1, e] */
static struct writer *new_writer(lua_State *L) {
  struct writer *w = ofox_newobject(L, BUFFER_T, sizeof(*w));
  ofox_buf_init(&w->out, SIZE_MAX);
  return w;
}

/* What the value on top is marked as. [-0, +0] */
static enum mark mark_of(lua_State *L) {
  enum mark m = UNMARKED;
  lua_pushvalue(L, -1);
  lua_rawget(L, MARKS);
  if (lua_type(L, -1) == LUA_TSTRING)
    m = (enum mark) * lua_tostring(L, -1);
  lua_pop(L, 1);
  return m;
}

/* What the metatable of the table on top says. [-0, +0] */
static enum mark table_mark(lua_State *L) {
  enum mark m;
  if (!lua_getmetatable(L, -1))
    return UNMARKED;
  m = mark_of(L);
  lua_pop(L, 1);
  return m;
}

static int fail(struct writer *w, const char *why) {
  w->why = why;
  return -1;
}

/* The result of a buffer function as the result of a write. */
static int done(struct writer *w, int rc) {
  return rc == 0 ? 0 : fail(w, "not enough memory");
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

static size_t high_run(const unsigned char *p, size_t n) {
  size_t i = 0;
  while (i < n && p[i] >= 0x80)
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
  int rc = ofox_buf_reserve(&w->out, n + 2);
  if (rc == 0)
    rc = ofox_buf_addc(&w->out, '"');
  while (rc == 0 && n > 0) {
    plain = plain_run(p, n);
    run.p = (const char *)p;
    run.n = plain + high_run(p + plain, n - plain);
    if (run.n == 0) {
      rc = put_escape(&w->out, *p);
      p++;
      n--;
      continue;
    }
    if (run.n > plain && ofox_utf8_valid(run) != run.n)
      return fail(w, "invalid UTF-8");
    rc = ofox_buf_addspan(&w->out, run);
    p += run.n;
    n -= run.n;
  }
  return done(w, rc != 0 ? rc : ofox_buf_addc(&w->out, '"'));
}

/* The decimal digits of 'v', at the end of 'digits'; returns their number. */
static size_t digits_of(char digits[20], uint64_t v) {
  size_t n = 0;
  do {
    digits[20 - ++n] = (char)('0' + (int)(v % 10));
    v /= 10;
  } while (v > 0);
  return n;
}

static int put_integer(struct ofox_buf *out, int minus, uint64_t v) {
  char digits[20];
  size_t n = digits_of(digits, v);
  int rc = minus ? ofox_buf_addc(out, '-') : 0;
  return rc != 0 ? rc : ofox_buf_add(out, digits + 20 - n, n);
}

/* 'v' / 10^'places', the places behind a point or as an exponent. */
static int put_decimal(struct ofox_buf *out, int minus, uint64_t v,
                       int places) {
  static const char zeros[] = "0.0000000";
  char digits[20];
  size_t n = digits_of(digits, v), after = (size_t)places;
  const char *d = digits + 20 - n;
  int rc = minus ? ofox_buf_addc(out, '-') : 0;
  if (rc == 0 && n > after) {
    rc = ofox_buf_add(out, d, n - after);
    if (rc == 0)
      rc = ofox_buf_addc(out, '.');
    return rc != 0 ? rc : ofox_buf_add(out, d + n - after, after);
  }
  if (rc == 0 && after - n <= sizeof(zeros) - 3)
    rc = ofox_buf_add(out, zeros, after - n + 2);
  if (rc == 0)
    rc = ofox_buf_add(out, d, n);
  if (rc == 0 && after - n > sizeof(zeros) - 3)
    rc = ofox_buf_adds(out, "e-");
  else
    return rc;
  return rc != 0 ? rc : ofox_buf_addint(out, places);
}

/*
** Any finite double, with the first of 15, 16 and 17 digits that reads back as
** the same. Lua does the reading, in the same locale. [-0, +0, e]
*/
static int put_float(lua_State *L, struct ofox_buf *out, double d) {
  char text[40];
  int i, n = 0, digits, same = 0, rc = 0, radix = 0;
  for (digits = 15; digits <= 17 && !same; digits++) {
    n = snprintf(text, sizeof(text), "%.*g", digits, d);
    lua_pushlstring(L, text, (size_t)n);
    same = lua_tonumber(L, -1) == (lua_Number)d;
    lua_pop(L, 1);
  }
  for (i = 0; rc == 0 && i < n; i++) {
    /* whatever the locale puts for the point, be it several bytes */
    if (strchr("0123456789+-e", text[i]) != NULL)
      rc = ofox_buf_addc(out, text[i]);
    else if (!radix++)
      rc = ofox_buf_addc(out, '.');
  }
  return rc;
}

/*
** The fewest digits that read back as 'd'. m / 10^k is rounded rightly when
** both are whole numbers that a double holds, so trying it is proof.
*/
static int write_double(lua_State *L, struct writer *w, double d) {
  double tens = 1, a = fabs(d), m;
  int k;
  if (d != d)
    return fail(w, "NaN has no JSON form");
  if (a > DBL_MAX)
    return fail(w, "infinity has no JSON form");
  if (a <= EXACT && floor(a) == a)
    return done(w, put_integer(&w->out, d < 0, (uint64_t)a));
  for (k = 1; k <= 22 && FLT_EVAL_METHOD == 0; k++) {
    tens *= 10;
    m = floor(a * tens + 0.5);
    if (m > EXACT)
      break;
    if (m / tens == a)
      return done(w, put_decimal(&w->out, d < 0, (uint64_t)m, k));
  }
  return done(w, put_float(L, &w->out, d));
}

static int write_number(lua_State *L, struct writer *w, int idx) {
  lua_Integer i;
  uint64_t u;
  if (!ofox_isinteger(L, idx))
    return write_double(L, w, (double)lua_tonumber(L, idx));
  i = lua_tointeger(L, idx);
  u = (uint64_t)i;
  return done(w, put_integer(&w->out, i < 0, i < 0 ? 0 - u : u));
}

static int write_value(lua_State *L, struct writer *w, const struct level *up);

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
      return fail(w, "a table with both list items and named fields");
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

static int write_element(lua_State *L, struct writer *w,
                         const struct level *here, long i) {
  if (i > 1 && ofox_buf_addc(&w->out, ',') != 0)
    return done(w, OFOX_EMEM);
  return write_value(L, w, here);
}

static int write_odd_list(lua_State *L, struct writer *w,
                          const struct level *here) {
  long i, n = list_length(L, w);
  if (n < 0)
    return -1;
  for (i = 1; i <= n; i++) {
    lua_pushinteger(L, (lua_Integer)i);
    lua_rawgeti(L, -2, (int)i);
    if (write_element(L, w, here, i) != 0)
      return -1;
    lua_pop(L, 2);
  }
  return 0;
}

static int write_list(lua_State *L, struct writer *w,
                      const struct level *here) {
  size_t start = w->out.n;
  long i;
  lua_pushnil(L);
  for (i = 1; lua_next(L, -2); i++) {
    /* lua_next keeps the order of lists, unless they grew in odd ways */
    if (lua_type(L, -2) != LUA_TNUMBER ||
        lua_tonumber(L, -2) != (lua_Number)i) {
      lua_pop(L, 2);
      w->out.n = start;
      return write_odd_list(L, w, here);
    }
    if (write_element(L, w, here, i) != 0)
      return -1;
    lua_pop(L, 1);
  }
  return 0;
}

/* The key below the top. Numbers are names only where a mark says so. */
static int write_key(lua_State *L, struct writer *w, int numbers) {
  const char *s;
  size_t n;
  int rc;
  if (lua_type(L, -2) == LUA_TSTRING) {
    s = lua_tolstring(L, -2, &n);
    rc = write_string(w, s, n);
  }
  else if (lua_type(L, -2) == LUA_TNUMBER && numbers) {
    rc = ofox_buf_addc(&w->out, '"');
    if (rc == 0)
      rc = write_number(L, w, -2);
    if (rc == 0)
      rc = ofox_buf_addc(&w->out, '"');
  }
  else {
    rc = lua_type(L, -2) == LUA_TNUMBER;
    lua_pop(L, 2);
    return fail(w, rc ? "a table with both list items and named fields"
                      : "a key that is no string");
  }
  return rc != 0 ? rc : done(w, ofox_buf_addc(&w->out, ':'));
}

static int write_object(lua_State *L, struct writer *w,
                        const struct level *here, int numbers) {
  int first = 1;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (!first && ofox_buf_addc(&w->out, ',') != 0)
      return done(w, OFOX_EMEM);
    first = 0;
    if (write_key(L, w, numbers) != 0 || write_value(L, w, here) != 0)
      return -1;
    lua_pop(L, 1);
  }
  return 0;
}

static int write_table(lua_State *L, struct writer *w,
                       const struct level *up) {
  struct level here;
  const struct level *l;
  enum mark mark;
  int first = LUA_TNIL, list, rc;
  here.up = up;
  here.table = lua_topointer(L, -1);
  here.depth = up == NULL ? 1 : up->depth + 1;
  for (l = up; l != NULL; l = l->up) {
    if (l->table == here.table)
      return fail(w, "a table that contains itself");
  }
  if (here.depth > OFOX_JSON_DEPTH || !lua_checkstack(L, 8))
    return fail(w, "nested too deeply");
  mark = table_mark(L);
  lua_pushnil(L);
  if (lua_next(L, -2)) {
    first = lua_type(L, -2);
    lua_pop(L, 2);
  }
  list = mark == MARK_ARRAY || (first == LUA_TNUMBER && mark != MARK_OBJECT) ||
         (first == LUA_TNIL && mark == MARK_EMPTY);
  rc = ofox_buf_addc(&w->out, list ? '[' : '{');
  if (rc != 0)
    return done(w, rc);
  rc = list ? write_list(L, w, &here)
            : write_object(L, w, &here, mark == MARK_OBJECT);
  return rc != 0 ? rc : done(w, ofox_buf_addc(&w->out, list ? ']' : '}'));
}

static int write_userdata(lua_State *L, struct writer *w) {
  switch (mark_of(L)) {
  case MARK_NULL:
    return done(w, ofox_buf_adds(&w->out, "null"));
  case MARK_ARRAY:
  case MARK_EMPTY:
    return done(w, ofox_buf_adds(&w->out, "[]"));
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
    return done(w, ofox_buf_adds(&w->out, s));
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

static int is_name(const char *s, size_t n) {
  size_t i;
  for (i = 0; i < n; i++) {
    if (s[i] != '_' &&
        !(ofox_tolower(s[i]) >= 'a' && ofox_tolower(s[i]) <= 'z') &&
        !(i > 0 && ofox_isdigit(s[i])))
      return 0;
  }
  return n > 0;
}

/* Memory may be short here: a message that lacks a piece is still one. */
static void put_key(struct ofox_buf *out, const char *s, size_t n) {
  struct ofox_span key;
  size_t i;
  key.p = s;
  key.n = n;
  key = ofox_utf8_cut(key, KEY_CAP);
  if (is_name(key.p, key.n)) {
    if (out->n > 0)
      (void)ofox_buf_addc(out, '.');
    (void)ofox_buf_addspan(out, key);
    return;
  }
  (void)ofox_buf_adds(out, "[\"");
  i = out->n;
  (void)ofox_utf8_clean(out, key);
  for (; i < out->n; i++) {
    if ((unsigned char)out->p[i] < ' ' || out->p[i] == 0x7F)
      out->p[i] = '?';
  }
  (void)ofox_buf_adds(out, "\"]");
}

/* "messages[2].content: " and the reason. [-0, +1, e] */
static void push_reason(lua_State *L, struct writer *w, int root) {
  struct ofox_buf *out = &w->out;
  const char *s;
  size_t n;
  int i, top = lua_gettop(L);
  ofox_buf_clear(out);
  for (i = root + 1; i < top && out->n < PATH_CAP; i += 2) {
    if (lua_type(L, i) == LUA_TSTRING) {
      s = lua_tolstring(L, i, &n);
      put_key(out, s, n);
      continue;
    }
    (void)ofox_buf_addc(out, '[');
    (void)write_number(L, w, i);
    (void)ofox_buf_addc(out, ']');
  }
  if (i < top)
    (void)ofox_buf_adds(out, "...");
  if (out->n > 0)
    (void)ofox_buf_adds(out, ": ");
  (void)ofox_buf_adds(out, w->why);
  lua_pushlstring(L, out->p == NULL ? "" : out->p, out->n);
}

/* encode(value) -> bytes | nil, message */
static int json_encode(lua_State *L) {
  struct writer *w;
  int n = 1;
  lua_settop(L, 1);
  w = new_writer(L);
  lua_insert(L, 1);
  if (write_value(L, w, NULL) == 0)
    lua_pushlstring(L, w->out.p, w->out.n);
  else {
    push_reason(L, w, 2);
    lua_pushnil(L);
    lua_insert(L, -2);
    n = 2;
  }
  ofox_buf_free(&w->out);
  return n;
}

/*
** The polish walks the text along with the value that a decoder made of it,
** and puts right what the two do not agree about. The text may be anything
** that the decoder took for JSON.
*/
struct text {
  const char *p, *e;
  struct writer *names; /* room for names with escapes, once there is one */
};

/* A child: its name, or its number from 1 in a list. */
struct place {
  struct ofox_span name; /* as it stands between the quotes */
  int i;                 /* 0 in an object */
};

static int is_blank(char c) {
  return (unsigned char)c <= ' ' && ofox_isspace(c);
}

static void skip_blanks(struct text *t) {
  while (t->p < t->e && is_blank(*t->p))
    t->p++;
}

static int at(const struct text *t, char c) {
  return t->p < t->e && *t->p == c;
}

/* Past the string whose opening quote is at 'p'. */
static const char *string_end(const char *p, const char *e) {
  const char *from = p + 1, *q = from, *back;
  while (q < e && (q = memchr(q, '"', (size_t)(e - q))) != NULL) {
    back = q++;
    while (back > from && back[-1] == '\\')
      back--;
    if ((q - back) % 2 == 1) /* an even number of backslashes before it */
      return q;
  }
  return e;
}

/* Past the word at 'p'; '*whole' tells whether it has digits alone. */
static const char *word_end(const char *p, const char *e, int *whole) {
  *whole = 1;
  for (; p < e && *p != ',' && *p != ']' && *p != '}' && !is_blank(*p); p++)
    *whole &= (unsigned char)(*p - '0') < 10 || *p == '-';
  return p;
}

/* [-0, +1, e] */
static void push_name(lua_State *L, struct text *t, struct ofox_span name) {
  struct ofox_json v;
  struct ofox_buf *b;
  if (memchr(name.p, '\\', name.n) == NULL) {
    lua_pushlstring(L, name.p, name.n);
    return;
  }
  if (t->names == NULL) {
    t->names = new_writer(L);
    lua_insert(L, 1);
  }
  v.type = OFOX_JSON_STRING;
  v.raw.p = name.p - 1;
  v.raw.n = name.n + 1;
  b = &t->names->out;
  ofox_buf_clear(b);
  if (ofox_json_text(v, b) != 0)
    luaL_error(L, "not enough memory");
  lua_pushlstring(L, b->p == NULL ? "" : b->p, b->n);
}

/* Of the container on top: key and value, which may be nil. [-0, +2, e] */
static void push_child(lua_State *L, struct text *t, const struct place *at) {
  if (at->i > 0)
    lua_pushinteger(L, at->i);
  else
    push_name(L, t, at->name);
  lua_pushvalue(L, -1);
  if (lua_istable(L, -3))
    lua_rawget(L, -3);
  else {
    lua_pop(L, 1);
    lua_pushnil(L);
  }
}

#if LUA_VERSION_NUM >= 503
#define INTEGERS 1

/*
** The number on top was decoded from 'text': pushes the integer that the text
** says (a decoder may have rounded it), or a float if it fits no integer (a
** decoder may have clipped it). Of a name that came twice the other value is
** left alone. [-0, +1] if it returns 1
*/
static int push_number(lua_State *L, struct ofox_span text) {
  const char *p = text.p, *e = text.p + text.n;
  int minus = *p == '-';
  uint64_t v = 0, max = (uint64_t)LUA_MAXINTEGER + (uint64_t)minus;
  struct ofox_json number;
  lua_Integer i;
  double d;
  for (p += minus; p < e && ofox_isdigit(*p); p++) {
    if (v > (max - (uint64_t)(*p - '0')) / 10)
      break;
    v = v * 10 + (uint64_t)(*p - '0');
  }
  if (p == e) {
    i = (lua_Integer)(minus ? 0 - v : v);
    if (lua_isinteger(L, -1) || lua_tonumber(L, -1) != (lua_Number)i)
      return 0;
    lua_pushinteger(L, i);
    return 1;
  }
  if (!ofox_isdigit(*p) || !lua_isinteger(L, -1))
    return 0;
  number.type = OFOX_JSON_NUMBER;
  number.raw = text;
  ofox_json_number(number, &d);
  lua_pushnumber(L, (lua_Number)d);
  return 1;
}

#else
#define INTEGERS 0

/* Numbers are what they are. */
static int push_number(lua_State *L, struct ofox_span text) {
  (void)L;
  (void)text;
  return 0;
}

#endif

/* What should be instead of the value on top. [-0, +1] if it returns 1 */
static int push_better(lua_State *L, struct ofox_span word, int list) {
  switch (lua_type(L, -1)) {
  case LUA_TLIGHTUSERDATA:
  case LUA_TUSERDATA:
    break;
  case LUA_TNUMBER:
    return word.n > 0 ? push_number(L, word) : 0;
  default:
    return 0;
  }
  if (!ofox_span_eq(word, "null"))
    return 0;
  if (list)
    lua_pushlightuserdata(L, NULL);
  else
    lua_pushnil(L);
  return 1;
}

/*
** An empty table that the text calls an array gets the mark. One that it
** calls an object loses it: a name can come twice. [-0, +0]
*/
static void mark_empty(lua_State *L, int list) {
  if (!lua_istable(L, -1))
    return;
  lua_pushnil(L);
  if (lua_next(L, -2)) {
    lua_pop(L, 2);
    return;
  }
  if (list)
    lua_getfield(L, MARKS, "array");
  else if (table_mark(L) == MARK_ARRAY)
    lua_pushnil(L);
  else
    return;
  lua_setmetatable(L, -2);
}

static void polish_container(lua_State *L, struct text *t, int depth);

/* The child at t->p of the container on top. [-0, +0, e] */
static void polish_child(lua_State *L, struct text *t, int depth,
                         const struct place *here) {
  struct ofox_span word;
  int whole;
  if (at(t, '"')) {
    t->p = string_end(t->p, t->e);
    return;
  }
  if (at(t, '{') || at(t, '[')) {
    push_child(L, t, here);
    polish_container(L, t, depth + 1);
    lua_pop(L, 2);
    return;
  }
  word.p = t->p;
  t->p = word_end(t->p, t->e, &whole);
  word.n = (size_t)(t->p - word.p);
  if (word.n == 0 || (*word.p != 'n' && !(whole && INTEGERS)))
    return;
  push_child(L, t, here);
  if (lua_istable(L, -3) && push_better(L, word, here->i)) {
    lua_remove(L, -2);
    lua_rawset(L, -3);
  }
  else
    lua_pop(L, 2);
}

/* What decoded from the bracket at t->p is on top. [-0, +0, e] */
static void polish_container(lua_State *L, struct text *t, int depth) {
  struct place here = {{NULL, 0}, 0};
  int list = *t->p++ == '[';
  if (depth > OFOX_JSON_DEPTH || !lua_checkstack(L, 8)) {
    t->p = t->e;
    return;
  }
  skip_blanks(t);
  if (at(t, list ? ']' : '}')) {
    t->p++;
    mark_empty(L, list);
    return;
  }
  while (t->p < t->e) {
    if (list)
      here.i++;
    else {
      here.name.p = ++t->p;
      t->p = string_end(here.name.p - 1, t->e);
      here.name.n = (size_t)(t->p - here.name.p);
      if (here.name.n > 0 && t->p[-1] == '"')
        here.name.n--;
      skip_blanks(t);
      if (at(t, ':'))
        t->p++;
      skip_blanks(t);
    }
    polish_child(L, t, depth, &here);
    skip_blanks(t);
    if (t->p < t->e && *t->p++ != ',')
      break;
    skip_blanks(t);
  }
}

static struct ofox_span check_text(lua_State *L, int arg) {
  struct ofox_span s;
  s.p = luaL_checklstring(L, arg, &s.n);
  return s;
}

/* The value on top, which was decoded from 'text'. [-0, +0 or 1, e] */
static void polish(lua_State *L, struct ofox_span text) {
  struct text t;
  int whole;
  t.p = text.p;
  t.e = text.p + text.n;
  t.names = NULL;
  skip_blanks(&t);
  if (at(&t, '{') || at(&t, '['))
    polish_container(L, &t, 1);
  else if (!at(&t, '"')) {
    text.p = t.p;
    text.n = (size_t)(word_end(t.p, t.e, &whole) - t.p);
    push_better(L, text, 1);
  }
}

/* polish(value, text) -> value, which was decoded from 'text' */
static int json_polish(lua_State *L) {
  struct ofox_span text = check_text(L, 2);
  lua_settop(L, 2);
  lua_insert(L, 1); /* the text stays reachable */
  polish(L, text);
  return 1;
}

static int push_broken(lua_State *L, int rc, size_t pos) {
  lua_pushnil(L);
  lua_pushstring(L, rc == 0 ? "incomplete" : "broken");
  lua_pushinteger(L, (lua_Integer)pos + 1);
  return 3;
}

/* json_check(text) -> true | nil, "incomplete"|"broken", position from 1 */
static int json_check(lua_State *L) {
  size_t pos;
  int rc = ofox_json_check(check_text(L, 1), &pos);
  if (rc != 1)
    return push_broken(L, rc, pos);
  lua_pushboolean(L, 1);
  return 1;
}

/* The next escaped surrogate without its other half, or NULL. */
static const char *next_lone(const char *p, const char *e) {
  struct ofox_span rest;
  unsigned long cp;
  size_t n;
  int rc;
  while (p < e && (p = memchr(p, '\\', (size_t)(e - p))) != NULL) {
    rest.p = p;
    rest.n = (size_t)(e - p);
    rc = ofox_json_escape(rest, &n, &cp);
    if (rc == 1 && cp >= 0xD800 && cp <= 0xDFFF)
      return p;
    p += n;
  }
  return NULL;
}

/* Adds 's' with each lone surrogate as U+FFFD, still escaped. */
static int mend(struct ofox_buf *out, struct ofox_span s) {
  const char *p = s.p, *e = s.p + s.n, *lone;
  int rc = 0;
  while (rc == 0 && (lone = next_lone(p, e)) != NULL) {
    rc = ofox_buf_add(out, p, (size_t)(lone - p));
    if (rc == 0)
      rc = ofox_buf_adds(out, "\\ufffd");
    p = lone + 6;
  }
  return rc != 0 ? rc : ofox_buf_add(out, p, (size_t)(e - p));
}

static int is_ascii(struct ofox_span s) {
  uint64_t w, seen = 0;
  size_t i;
  for (i = 0; s.n - i >= sizeof(w); i += sizeof(w)) {
    memcpy(&w, s.p + i, sizeof(w));
    seen |= w;
  }
  for (; i < s.n; i++)
    seen |= (unsigned char)s.p[i];
  return (seen & UINT64_MAX / 255 * 0x80) == 0;
}

/*
** Takes null members out of the text: cheaper than to decode them and to take
** them out of the table. Broken JSON stays broken.
*/
struct trim {
  const char *p, *e;
  const char *from;   /* what lies before is copied, or left out */
  const char *string; /* where the string before starts, or NULL */
  const char *name;   /* the name whose value is due, or NULL */
  uint64_t objects;   /* a bit for each open container, the innermost lowest */
  char *out;          /* Lua's, for as much as there was */
  size_t n;           /* written there */
  size_t polish;      /* how far the result needs polish */
  int exact;          /* the decoder knows integers */
};

static const char *after_blanks(const char *p, const char *e) {
  while (p < e && is_blank(*p))
    p++;
  return p;
}

/* Offset behind the last byte of 's' that is no blank. */
static size_t before_blanks(const char *s, size_t n) {
  while (n > 0 && is_blank(s[n - 1]))
    n--;
  return n;
}

static void copy_until(struct trim *t, const char *p) {
  memcpy(t->out + t->n, t->from, (size_t)(p - t->from));
  t->n += (size_t)(p - t->from);
  t->from = p;
}

/* What ends at 'end' has to be looked at after decoding. */
static void needs_polish(struct trim *t, const char *end) {
  t->polish = t->n + (size_t)(end - t->from);
}

/* Takes a comma back that has a value before it. */
static int drop_comma(struct trim *t) {
  size_t n = before_blanks(t->out, t->n - 1);
  if (n == 0 || t->out[n - 1] == '{' || t->out[n - 1] == ',')
    return 0;
  t->n = n;
  return 1;
}

/* Leaves the member at t->name out, whose null has been read. [-0, +0 or 1] */
static void drop_member(lua_State *L, struct trim *t) {
  const char *next = after_blanks(t->p, t->e), *name;
  char last;
  if (t->out == NULL)
    t->out = ofox_newuserdata(L, (size_t)(t->e - t->from));
  copy_until(t, t->name);
  t->n = before_blanks(t->out, t->n);
  last = t->n > 0 ? t->out[t->n - 1] : '\0';
  if (next == t->e || (last != '{' && last != ','))
    needs_polish(t, t->p);
  else if (*next == '}' && (last == '{' || drop_comma(t)))
    t->from = next;
  else if (*next == ',') {
    name = after_blanks(next + 1, t->e);
    if (name < t->e && *name == '"')
      t->from = t->p = name;
  }
}

static void trim_null(lua_State *L, struct trim *t) {
  if (t->e - t->p < 3 || memcmp(t->p, "ull", 3) != 0)
    return;
  t->p += 3;
  /* a name with an escape may be broken: left to the decoder */
  if (t->name != NULL &&
      memchr(t->name, '\\', (size_t)(t->p - t->name)) == NULL)
    drop_member(L, t);
  else
    needs_polish(t, t->p);
}

static void trim_token(lua_State *L, struct trim *t) {
  const char *start = t->p++, *next;
  int whole;
  switch (*start) {
  case ' ':
  case '\n':
  case '\r':
  case '\t':
    return;
  case ':':
    t->name = t->objects & 1 ? t->string : NULL;
    t->string = NULL;
    return;
  case '"':
    t->name = NULL;
    t->string = start;
    t->p = string_end(start, t->e);
    return;
  case '{':
    t->objects = t->objects << 1 | 1;
    /* it may take the place of an empty array of the same name */
    next = after_blanks(t->p, t->e);
    if (t->polish > 0 && next < t->e && *next == '}')
      needs_polish(t, next + 1);
    break;
  case '[':
    t->objects <<= 1;
    next = after_blanks(t->p, t->e);
    if (next < t->e && *next == ']')
      needs_polish(t, next + 1);
    break;
  case '}':
  case ']':
    t->objects >>= 1;
    break;
  case 'n':
    trim_null(L, t);
    break;
  default:
    if (*start != '-' && !ofox_isdigit(*start))
      break;
    t->p = word_end(start, t->e, &whole);
    if (INTEGERS && whole && (!t->exact || t->p - start >= LONG_NUMBER))
      needs_polish(t, t->p);
  }
  t->name = t->string = NULL;
}

/* Returns how much of the result needs polish. [-0, +0 or 1, e] */
static size_t trim_nulls(lua_State *L, struct ofox_span *s, int exact) {
  struct trim t;
  memset(&t, 0, sizeof(t));
  t.p = t.from = s->p;
  t.e = s->p + s->n;
  t.exact = exact;
  while (t.p < t.e)
    trim_token(L, &t);
  if (t.out != NULL) {
    copy_until(&t, t.e);
    s->p = t.out;
    s->n = t.n;
  }
  return t.polish;
}

/*
** The text as every decoder takes it: no byte order mark, no bad UTF-8, no
** lone surrogates. Leaves on the stack what it is in. [-0, +0 or 2, e]
*/
static struct ofox_span mend_text(lua_State *L, struct ofox_span s) {
  struct writer *w;
  int rc = 0;
  s = ofox_utf8_skip_bom(s);
  if (!is_ascii(s) && ofox_utf8_valid(s) != s.n) {
    w = new_writer(L);
    rc = ofox_utf8_clean(&w->out, s);
    s = ofox_buf_span(&w->out);
  }
  if (rc == 0 && next_lone(s.p, s.p + s.n) != NULL) {
    w = new_writer(L);
    rc = mend(&w->out, s);
    s = ofox_buf_span(&w->out);
  }
  if (rc != 0)
    luaL_error(L, "not enough memory");
  return s;
}

/*
** decode(text, decoder [, exact]) -> value | nil [, message]. 'exact': the
** decoder gives integers where Lua has them. Of a name that comes twice the
** last counts, or the last that is not null.
*/
static int json_decode(lua_State *L) {
  struct ofox_span text = check_text(L, 1), s;
  size_t rough;
  int rc, i;
  lua_settop(L, 3);
  if (memchr(text.p, '\0', text.n) != NULL)
    return 0; /* some decoders would stop there */
  s = mend_text(L, text);
  rough = trim_nulls(L, &s, lua_toboolean(L, 3));
  if (s.p != text.p || s.n != text.n) {
    lua_pushlstring(L, s.p, s.n);
    lua_replace(L, 1);
    s.p = lua_tostring(L, 1);
  }
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 1);
  rc = lua_pcall(L, 1, 3, 0);
  if (rc == 0 && !lua_isnil(L, 3)) {
    lua_settop(L, 3);
    s.n = rough;
    if (rough > 0)
      polish(L, s);
    return 1;
  }
  /* dkjson gives a position before the message */
  for (i = rc == 0 ? 5 : 3; i > 3 && lua_type(L, i) != LUA_TSTRING; i--)
    continue;
  lua_pushnil(L);
  if (lua_type(L, i) == LUA_TSTRING)
    lua_pushvalue(L, i);
  else
    lua_pushnil(L);
  return 2;
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
  lua_pushcclosure(L, json_encode, 1);
  lua_setfield(L, -3, "encode");
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, json_decode, 1);
  lua_setfield(L, -3, "decode");
  lua_pushcclosure(L, json_polish, 1);
  lua_setfield(L, -2, "polish");
}
