/*
** The polish walks the text along with the value that a decoder made from it,
** and corrects the differences. The text may be anything that the decoder
** accepted as JSON.
*/
#include "lua/lpolish.h"

#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "lua/lbuffer.h"
#include "lua/lmarks.h"
#include "lua/lofox.h"

struct text {
  const char *p, *e;
  struct ofox_buf *names; /* for names with escapes, allocated on demand */
};

/* A child: its name, or its number from 1 in a list. */
struct place {
  struct ofox_span name; /* as written between the quotes */
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

const char *ofox_polish_string(const char *p, const char *e) {
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

const char *ofox_polish_word(const char *p, const char *e, int *whole) {
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
    t->names = ofox_newbuffer(L);
    lua_insert(L, 1);
  }
  v.type = OFOX_JSON_STRING;
  v.raw.p = name.p - 1;
  v.raw.n = name.n + 1;
  b = t->names;
  ofox_buf_clear(b);
  ofox_checkmemory(L, ofox_json_text(v, b));
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

#if OFOX_INTEGERS

/*
** The number on top was decoded from 'text': pushes the integer in the text (a
** decoder may have rounded it), or a float if it does not fit (a decoder may
** have clipped it). The other value of a duplicate name is left alone.
** [-0, +1] if it returns 1
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

/* Numbers are unchanged. */
static int push_number(lua_State *L, struct ofox_span text) {
  (void)L;
  (void)text;
  return 0;
}

#endif

/* Pushes the replacement of the value on top. [-0, +1] if it returns 1 */
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
** An empty table that is an array in the text gets the mark. One that is an
** object loses it: a name may be duplicate. [-0, +0]
*/
static void mark_empty(lua_State *L, int list) {
  if (!lua_istable(L, -1))
    return;
  lua_pushnil(L);
  if (lua_next(L, -2)) {
    lua_pop(L, 2);
    return;
  }
  if (list) {
    ofox_pushmarks(L);
    lua_getfield(L, -1, "array");
    lua_remove(L, -2);
  }
  else if (ofox_getmetamark(L) == OFOX_MARK_ARRAY)
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
    t->p = ofox_polish_string(t->p, t->e);
    return;
  }
  if (at(t, '{') || at(t, '[')) {
    push_child(L, t, here);
    polish_container(L, t, depth + 1);
    lua_pop(L, 2);
    return;
  }
  word.p = t->p;
  t->p = ofox_polish_word(t->p, t->e, &whole);
  word.n = (size_t)(t->p - word.p);
  if (word.n == 0 || (*word.p != 'n' && !(whole && OFOX_INTEGERS)))
    return;
  push_child(L, t, here);
  if (lua_istable(L, -3) && push_better(L, word, here->i)) {
    lua_remove(L, -2);
    lua_rawset(L, -3);
  }
  else
    lua_pop(L, 2);
}

/* The container decoded from the bracket at t->p is on top. [-0, +0, e] */
static void polish_container(lua_State *L, struct text *t, int depth) {
  struct place here = {{NULL, 0}, 0};
  int list = *t->p++ == '[';
  if (depth > OFOX_JSON_DEPTH) {
    t->p = t->e;
    return;
  }
  ofox_checkmemory(L, !lua_checkstack(L, 8));
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
      t->p = ofox_polish_string(here.name.p - 1, t->e);
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

void ofox_polish(lua_State *L, struct ofox_span text) {
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
    text.n = (size_t)(ofox_polish_word(t.p, t.e, &whole) - t.p);
    push_better(L, text, 1);
  }
}
