#include "json.h"
#include "utf8.h"

#include <stdint.h>
#include <string.h>

#define ONES 0x0101010101010101U
#define HIGHS 0x8080808080808080U

static int is_blank(char c) {
  return (unsigned char)c <= ' ' &&
         (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}

static const char *skip_blanks(const char *p, const char *e) {
  while (p < e && is_blank(*p))
    p++;
  return p;
}

/* The top bit of each byte of 'w' that is zero; the lowest is never wrong. */
static uint64_t zero_bytes(uint64_t w) {
  return (w - ONES) & ~w & HIGHS;
}

/* First quote or backslash at or after 'p': where a plain run ends. */
static const char *plain_run(const char *p, const char *e) {
  uint64_t w;
  while ((size_t)(e - p) >= sizeof(w)) {
    memcpy(&w, p, sizeof(w));
    w = zero_bytes(w ^ ONES * '"') | zero_bytes(w ^ ONES * '\\');
    if (w != 0) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
      /* how many whole bytes lie below the lowest hit */
      return p + ((((w & (0 - w)) - 1) >> 7 & ONES) * ONES >> 56);
#else
      break;
#endif
    }
    p += sizeof(w);
  }
  while (p < e && *p != '"' && *p != '\\')
    p++;
  return p;
}

/*
** The strict pass. Its parts read at s->p and return 1 (read), 0 (the text
** ends) or OFOX_ESYNTAX (s->p is the offending byte).
*/
struct scan {
  const char *p, *e;
  unsigned depth;
  /* the open containers, a bit each: 1 is an object */
  unsigned char objects[(OFOX_JSON_DEPTH + 8) / 8];
};

/* From after the opening quote to after the closing one. */
static int scan_string(struct scan *s) {
  struct ofox_span rest;
  unsigned long cp;
  size_t n;
  int rc;
  for (;;) {
    s->p = plain_run(s->p, s->e);
    if (s->p == s->e)
      return 0;
    if (*s->p == '"') {
      s->p++;
      return 1;
    }
    rest.p = s->p;
    rest.n = (size_t)(s->e - s->p);
    rc = ofox_json_escape(rest, &n, &cp);
    s->p += n;
    if (rc != 1)
      return rc;
  }
}

/* At least one digit. */
static int scan_digits(struct scan *s) {
  const char *start = s->p;
  while (s->p < s->e && ofox_isdigit(*s->p))
    s->p++;
  if (s->p > start)
    return 1;
  return s->p == s->e ? 0 : OFOX_ESYNTAX;
}

static int scan_number(struct scan *s) {
  int rc = 1;
  if (*s->p == '-')
    s->p++;
  if (s->p < s->e && *s->p == '0')
    s->p++;
  else
    rc = scan_digits(s);
  if (rc == 1 && s->p < s->e && *s->p == '.') {
    s->p++;
    rc = scan_digits(s);
  }
  if (rc == 1 && s->p < s->e && (*s->p == 'e' || *s->p == 'E')) {
    s->p++;
    if (s->p < s->e && (*s->p == '+' || *s->p == '-'))
      s->p++;
    rc = scan_digits(s);
  }
  return rc;
}

static int scan_literal(struct scan *s, const char *word) {
  for (; *word != '\0'; word++, s->p++) {
    if (s->p == s->e)
      return 0;
    if (*s->p != *word)
      return OFOX_ESYNTAX;
  }
  return 1;
}

static int scan_scalar(struct scan *s) {
  switch (*s->p) {
  case '"':
    s->p++;
    return scan_string(s);
  case 't':
    return scan_literal(s, "true");
  case 'f':
    return scan_literal(s, "false");
  case 'n':
    return scan_literal(s, "null");
  default:
    if (*s->p != '-' && !ofox_isdigit(*s->p))
      return OFOX_ESYNTAX;
    return scan_number(s);
  }
}

/* A name and its colon, after the blanks before it. */
static int scan_name(struct scan *s) {
  int rc;
  s->p = skip_blanks(s->p, s->e);
  if (s->p == s->e)
    return 0;
  if (*s->p != '"')
    return OFOX_ESYNTAX;
  s->p++;
  rc = scan_string(s);
  if (rc != 1)
    return rc;
  s->p = skip_blanks(s->p, s->e);
  if (s->p == s->e)
    return 0;
  if (*s->p != ':')
    return OFOX_ESYNTAX;
  s->p++;
  return 1;
}

static int in_object(const struct scan *s) {
  return s->objects[s->depth >> 3] >> (s->depth & 7) & 1;
}

/* An opening bracket, and what comes before the first value behind it. */
static int scan_open(struct scan *s, int *empty) {
  int object = *s->p == '{';
  unsigned char bit;
  if (s->depth == OFOX_JSON_DEPTH)
    return OFOX_ESYNTAX;
  s->depth++;
  bit = (unsigned char)(1U << (s->depth & 7));
  if (object)
    s->objects[s->depth >> 3] |= bit;
  else
    s->objects[s->depth >> 3] &= (unsigned char)~bit;
  s->p = skip_blanks(s->p + 1, s->e);
  *empty = s->p < s->e && *s->p == (object ? '}' : ']');
  return object && !*empty ? scan_name(s) : 1;
}

/*
** What follows a value: closing brackets, then a comma (and a name) or, with
** '*more' = 0, the end of the text.
*/
static int scan_after(struct scan *s, int *more) {
  int object;
  *more = 0;
  for (;;) {
    s->p = skip_blanks(s->p, s->e);
    if (s->depth == 0)
      return s->p == s->e ? 1 : OFOX_ESYNTAX;
    if (s->p == s->e)
      return 0;
    object = in_object(s);
    if (*s->p == ',') {
      s->p++;
      *more = 1;
      return object ? scan_name(s) : 1;
    }
    if (*s->p != (object ? '}' : ']'))
      return OFOX_ESYNTAX;
    s->p++;
    s->depth--;
  }
}

static int scan_text(struct scan *s) {
  int rc = 1, more = 1, empty;
  while (rc == 1 && more) {
    s->p = skip_blanks(s->p, s->e);
    if (s->p == s->e)
      return 0;
    if (*s->p == '{' || *s->p == '[') {
      rc = scan_open(s, &empty);
      if (rc != 1 || !empty)
        continue;
    }
    else
      rc = scan_scalar(s);
    if (rc == 1)
      rc = scan_after(s, &more);
  }
  return rc;
}

int ofox_json_check(struct ofox_span text, size_t *pos) {
  struct ofox_span body = ofox_utf8_skip_bom(text);
  const char *nul;
  struct scan s;
  int rc;
  *pos = 0;
  if (body.n == 0)
    return 0;
  memset(&s, 0, sizeof(s));
  s.p = body.p;
  nul = memchr(body.p, '\0', body.n);
  s.e = nul != NULL ? nul : body.p + body.n;
  rc = scan_text(&s);
  if (nul != NULL && rc >= 0) {
    s.p = nul;
    rc = OFOX_ESYNTAX;
  }
  *pos = (size_t)(s.p - text.p);
  /* a byte order mark that was cut is no garbage */
  if (text.n < 3 && memcmp(text.p, "\xEF\xBB", text.n) == 0)
    rc = 0;
  return rc;
}

/* The lenient part: past a string whose opening quote is at 'p'. */
static const char *skip_string(const char *p, const char *e) {
  for (p++; p < e; p++) {
    p = plain_run(p, e);
    if (p == e)
      break;
    if (*p == '"')
      return p + 1;
    if (*p == '\\' && p + 1 < e)
      p++;
  }
  return e;
}

/* Past a container that opens at 'p'; which bracket closes is not judged. */
static const char *skip_nest(const char *p, const char *e) {
  size_t depth = 0;
  while (p < e) {
    switch (*p) {
    case '"':
      p = skip_string(p, e);
      continue;
    case '{':
    case '[':
      depth++;
      break;
    case '}':
    case ']':
      if (--depth == 0)
        return p + 1;
      break;
    default:
      break;
    }
    p++;
  }
  return e;
}

static const char *skip_word(const char *p, const char *e) {
  while (p < e && !is_blank(*p) && *p != ',' && *p != ':' && *p != ']' &&
         *p != '}')
    p++;
  return p;
}

static enum ofox_json_type word_type(struct ofox_span word) {
  struct scan s;
  if (ofox_span_eq(word, "null"))
    return OFOX_JSON_NULL;
  if (ofox_span_eq(word, "true"))
    return OFOX_JSON_TRUE;
  if (ofox_span_eq(word, "false"))
    return OFOX_JSON_FALSE;
  s.p = word.p;
  s.e = word.p + word.n;
  if (word.n > 0 && scan_number(&s) == 1 && s.p == s.e)
    return OFOX_JSON_NUMBER;
  return OFOX_JSON_NONE;
}

/* The value at 'p', which is no blank. */
static struct ofox_json value_at(const char *p, const char *e) {
  struct ofox_json v = {OFOX_JSON_NONE, {NULL, 0}};
  const char *end;
  if (p == e)
    return v;
  if (*p == '"') {
    v.type = OFOX_JSON_STRING;
    end = skip_string(p, e);
  }
  else if (*p == '{' || *p == '[') {
    v.type = *p == '{' ? OFOX_JSON_OBJECT : OFOX_JSON_ARRAY;
    end = skip_nest(p, e);
  }
  else
    end = skip_word(p, e);
  v.raw.p = p;
  v.raw.n = (size_t)(end - p);
  if (v.type == OFOX_JSON_NONE)
    v.type = word_type(v.raw);
  return v;
}

struct ofox_json ofox_json_root(struct ofox_span text) {
  struct ofox_json none = {OFOX_JSON_NONE, {NULL, 0}};
  struct ofox_span s = ofox_utf8_skip_bom(text);
  if (s.n == 0)
    return none;
  return value_at(skip_blanks(s.p, s.p + s.n), s.p + s.n);
}

int ofox_json_next(struct ofox_json v, size_t *pos, struct ofox_json *key,
                   struct ofox_json *child) {
  struct ofox_json none = {OFOX_JSON_NONE, {NULL, 0}};
  const char *e, *p;
  *key = *child = none;
  if (v.type != OFOX_JSON_ARRAY && v.type != OFOX_JSON_OBJECT)
    return 0;
  e = v.raw.p + v.raw.n;
  p = skip_blanks(v.raw.p + (*pos == 0 ? 1 : *pos), e);
  if (*pos > 0) {
    if (p == e || *p != ',')
      return 0;
    p = skip_blanks(p + 1, e);
  }
  if (v.type == OFOX_JSON_OBJECT) {
    if (p == e || *p != '"')
      return 0;
    *key = value_at(p, e);
    p = skip_blanks(p + key->raw.n, e);
    if (p == e || *p != ':')
      return 0;
    p = skip_blanks(p + 1, e);
  }
  *child = value_at(p, e);
  if (child->type == OFOX_JSON_NONE)
    return 0;
  *pos = (size_t)(child->raw.p + child->raw.n - v.raw.p);
  return 1;
}

struct ofox_json ofox_json_get(struct ofox_json v, const char *key) {
  struct ofox_json k, child;
  size_t pos = 0;
  while (ofox_json_next(v, &pos, &k, &child)) {
    if (ofox_json_is(k, key))
      return child;
  }
  child.type = OFOX_JSON_NONE;
  return child;
}

struct ofox_json ofox_json_at(struct ofox_json v, size_t i) {
  struct ofox_json k, child;
  size_t pos = 0;
  if (v.type != OFOX_JSON_ARRAY)
    v.type = OFOX_JSON_NONE;
  while (ofox_json_next(v, &pos, &k, &child)) {
    if (i-- == 0)
      return child;
  }
  child.type = OFOX_JSON_NONE;
  return child;
}
