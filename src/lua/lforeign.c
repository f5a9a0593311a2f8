#include "lua/lforeign.h"

#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/json_escape.h"
#include "base/json_string.h"
#include "base/utf8.h"
#include "lua/lbuffer.h"
#include "lua/lofox.h"
#include "lua/lpolish.h"

static int is_blank(char c) {
  return (unsigned char)c <= ' ' && ofox_isspace(c);
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

/* The half of a pair at 'p', encoded like a character: see ofox_join. */
static int put_half(struct ofox_buf *out, const char *p) {
  struct ofox_span s;
  unsigned long cp;
  size_t n;
  char b[3];
  s.p = p;
  s.n = 6;
  ofox_json_escape(s, &n, &cp);
  ofox_json_put_half(b, cp);
  return ofox_buf_add(out, b, sizeof(b));
}

/* Adds 's' with each lone surrogate as U+FFFD, still escaped, or as a half. */
static int mend(struct ofox_buf *out, struct ofox_span s, int halves) {
  const char *p = s.p, *e = s.p + s.n, *lone;
  int rc = 0;
  while (rc == 0 && (lone = next_lone(p, e)) != NULL) {
    rc = ofox_buf_add(out, p, (size_t)(lone - p));
    if (rc == 0)
      rc = halves ? put_half(out, lone) : ofox_buf_adds(out, "\\ufffd");
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
** Removes null members from the text: cheaper than decoding them and removing
** them from the table. Broken JSON stays broken.
*/
struct trim {
  const char *p, *e;
  const char *from;   /* everything before is copied, or left out */
  const char *string; /* start of the previous string, or NULL */
  const char *name;   /* the name whose value is due, or NULL */
  uint64_t objects;   /* a bit for each open container, the innermost lowest */
  char *out;          /* owned by Lua, as long as the input */
  size_t n;           /* bytes written there */
  size_t polish;      /* length of the result that needs polish */
};

static const char *after_blanks(const char *p, const char *e) {
  while (p < e && is_blank(*p))
    p++;
  return p;
}

/* Offset after the last byte of 's' that is not a blank. */
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

/* The text up to 'end' must be checked after decoding. */
static void needs_polish(struct trim *t, const char *end) {
  t->polish = t->n + (size_t)(end - t->from);
}

/* Removes a comma after a value. */
static int drop_comma(struct trim *t) {
  size_t n = before_blanks(t->out, t->n - 1);
  if (n == 0 || t->out[n - 1] == '{' || t->out[n - 1] == ',')
    return 0;
  t->n = n;
  return 1;
}

/* Omits the member at t->name, whose null was read. [-0, +0 or 1] */
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
  /* a name with an escape may be invalid: left to the decoder */
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
    t->p = ofox_polish_string(start, t->e);
    return;
  case '{':
    t->objects = t->objects << 1 | 1;
    /* it may replace an empty array of the same name */
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
    t->p = ofox_polish_word(start, t->e, &whole);
    if (OFOX_INTEGERS && whole)
      needs_polish(t, t->p);
  }
  t->name = t->string = NULL;
}

/* Returns how much of the result needs polish. [-0, +0 or 1, e] */
static size_t trim_nulls(lua_State *L, struct ofox_span *s) {
  struct trim t;
  memset(&t, 0, sizeof(t));
  t.p = t.from = s->p;
  t.e = s->p + s->n;
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
** Pushes the text in a form that every decoder accepts: no byte order mark, no
** bad UTF-8, no lone surrogates. If 'rough' is requested, halves of characters
** stay in it, as bytes, and it is set to whether there are any. Leaves the
** owner of the text on the stack. [-0, +0 or 2, e]
*/
static struct ofox_span mend_text(lua_State *L, struct ofox_span s,
                                  int *rough) {
  struct ofox_buf *b;
  int rc = 0, halves = *rough;
  *rough = 0;
  s = ofox_utf8_skip_bom(s);
  if (!is_ascii(s) && ofox_utf8_valid(s) != s.n) {
    *rough = 1;
    if (!halves) {
      b = ofox_newbuffer(L);
      rc = ofox_utf8_clean(b, s);
      s = ofox_buf_span(b);
    }
  }
  if (rc == 0 && next_lone(s.p, s.p + s.n) != NULL) {
    *rough = 1;
    b = ofox_newbuffer(L);
    rc = mend(b, s, halves);
    s = ofox_buf_span(b);
  }
  ofox_checkmemory(L, rc);
  return s;
}

int ofox_decode_by(lua_State *L) {
  struct ofox_span text = ofox_checkspan(L, 1), s;
  size_t polish;
  int rc, i, rough;
  lua_settop(L, 3);
  if (memchr(text.p, '\0', text.n) != NULL)
    return 0; /* some decoders would stop there */
  rough = lua_toboolean(L, 3);
  s = mend_text(L, text, &rough);
  polish = trim_nulls(L, &s);
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
    s.n = polish;
    if (polish > 0)
      ofox_polish(L, s);
    lua_pushboolean(L, rough);
    return 2;
  }
  if (rc == LUA_ERRMEM)
    return lua_error(L); /* not an error of the text */
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
