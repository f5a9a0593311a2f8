#include "base/json_scan.h"

#include <stdint.h>
#include <string.h>

#include "base/json_escape.h"

#define ONES 0x0101010101010101U
#define HIGHS 0x8080808080808080U

/* The top bit of each byte of 'w' that is zero; the lowest is never wrong. */
static uint64_t zero_bytes(uint64_t w) {
  return (w - ONES) & ~w & HIGHS;
}

static inline const char *plain(const char *p, const char *e) {
  uint64_t w;
  while ((size_t)(e - p) >= sizeof(w)) {
    memcpy(&w, p, sizeof(w));
    w = zero_bytes(w ^ ONES * '"') | zero_bytes(w ^ ONES * '\\');
    if (w != 0) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#if defined(__GNUC__)
      return p + (__builtin_ctzll(w) >> 3);
#else
      /* how many whole bytes lie below the lowest hit */
      return p + ((((w & (0 - w)) - 1) >> 7 & ONES) * ONES >> 56);
#endif
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

const char *ofox_json_scan_plain(const char *p, const char *e) {
  return plain(p, e);
}

static void skip_run(struct ofox_json_scan *s) {
  while (s->p < s->e &&
         (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
    s->p++;
}

/* Few texts have any. */
static inline void skip_blanks(struct ofox_json_scan *s) {
  if (s->p < s->e && (unsigned char)*s->p <= ' ')
    skip_run(s);
}

/* From a backslash or the end on. */
static int scan_rest(struct ofox_json_scan *s) {
  struct ofox_span rest;
  unsigned long cp;
  size_t n;
  int rc;
  for (;;) {
    if (s->p == s->e)
      return 0;
    if (*s->p == '"') {
      s->p++;
      return 1;
    }
    s->escapes = 1;
    rest.p = s->p;
    rest.n = (size_t)(s->e - s->p);
    rc = ofox_json_escape(rest, &n, &cp);
    s->p += n;
    if (rc != 1)
      return rc;
    s->p = plain(s->p, s->e);
  }
}

/* From after the opening quote to after the closing one. */
static inline int scan_string(struct ofox_json_scan *s) {
  s->escapes = 0;
  s->p = plain(s->p, s->e);
  if (s->p == s->e || *s->p != '"')
    return scan_rest(s);
  s->p++;
  return 1;
}

int ofox_json_scan_string(struct ofox_json_scan *s) {
  return scan_string(s);
}

static int is_digit(char c) {
  return (unsigned)(c - '0') <= 9;
}

/* At least one digit. */
static int scan_digits(struct ofox_json_scan *s) {
  const char *start = s->p;
  while (s->p < s->e && is_digit(*s->p))
    s->p++;
  if (s->p > start)
    return 1;
  return s->p == s->e ? 0 : OFOX_ESYNTAX;
}

static int scan_number(struct ofox_json_scan *s) {
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

static int scan_literal(struct ofox_json_scan *s, const char *word) {
  for (; *word != '\0'; word++, s->p++) {
    if (s->p == s->e)
      return 0;
    if (*s->p != *word)
      return OFOX_ESYNTAX;
  }
  return 1;
}

/* One that is no container; there is a byte. */
static int scan_scalar(struct ofox_json_scan *s, enum ofox_json_type *type) {
  switch (*s->p) {
  case '"':
    *type = OFOX_JSON_STRING;
    s->p++;
    return scan_string(s);
  case 't':
    *type = OFOX_JSON_TRUE;
    return scan_literal(s, "true");
  case 'f':
    *type = OFOX_JSON_FALSE;
    return scan_literal(s, "false");
  case 'n':
    *type = OFOX_JSON_NULL;
    return scan_literal(s, "null");
  default:
    *type = OFOX_JSON_NUMBER;
    if (*s->p != '-' && !is_digit(*s->p))
      return OFOX_ESYNTAX;
    return scan_number(s);
  }
}

static int in_object(const struct ofox_json_scan *s) {
  return s->_objects[s->depth >> 3] >> (s->depth & 7) & 1;
}

/* A name and its colon. */
static inline int scan_name(struct ofox_json_scan *s, struct ofox_span *name) {
  int rc;
  skip_blanks(s);
  if (s->p == s->e)
    return 0;
  if (*s->p != '"')
    return OFOX_ESYNTAX;
  name->p = ++s->p;
  rc = scan_string(s);
  if (rc != 1)
    return rc;
  name->n = (size_t)(s->p - name->p) - 1;
  skip_blanks(s);
  if (s->p == s->e)
    return 0;
  if (*s->p != ':')
    return OFOX_ESYNTAX;
  s->p++;
  return 1;
}

static int enter(struct ofox_json_scan *s) {
  unsigned char bit;
  if (s->depth == OFOX_JSON_DEPTH)
    return OFOX_ESYNTAX;
  s->depth++;
  bit = (unsigned char)(1U << (s->depth & 7));
  if (*s->p == '{')
    s->_objects[s->depth >> 3] |= bit;
  else
    s->_objects[s->depth >> 3] &= (unsigned char)~bit;
  s->p++;
  return 1;
}

static int member(struct ofox_json_scan *s, int first,
                  struct ofox_span *name) {
  int object = in_object(s);
  skip_blanks(s);
  if (s->p == s->e)
    return first && object ? scan_name(s, name) : 0;
  if (*s->p == (object ? '}' : ']')) {
    s->p++;
    s->depth--;
    return OFOX_JSON_SCAN_CLOSED;
  }
  if (!first) {
    if (*s->p != ',')
      return OFOX_ESYNTAX;
    s->p++;
  }
  return object ? scan_name(s, name) : 1;
}

/* A container with all that is in it, without recursion. */
static int scan_nest(struct ofox_json_scan *s) {
  unsigned base = s->depth;
  enum ofox_json_type type;
  struct ofox_span name;
  int rc = enter(s), first = 1;
  while (rc == 1 && s->depth > base) {
    rc = member(s, first, &name);
    first = 0;
    if (rc == OFOX_JSON_SCAN_CLOSED) {
      rc = 1;
      continue;
    }
    if (rc != 1)
      break;
    skip_blanks(s);
    if (s->p == s->e)
      return 0;
    if (*s->p == '{' || *s->p == '[') {
      rc = enter(s);
      first = 1;
    }
    else {
      rc = scan_scalar(s, &type);
    }
  }
  return rc;
}

void ofox_json_scan_start(struct ofox_json_scan *s, struct ofox_span text) {
  s->p = text.p;
  s->e = text.p + text.n;
  s->depth = 0;
  s->escapes = 0;
}

int ofox_json_scan_is_number(struct ofox_span word) {
  struct ofox_json_scan s;
  ofox_json_scan_start(&s, word);
  return word.n > 0 && scan_number(&s) == 1 && s.p == s.e;
}

int ofox_json_scan_end(struct ofox_json_scan *s) {
  skip_blanks(s);
  return s->p == s->e ? 1 : OFOX_ESYNTAX;
}

char ofox_json_scan_peek(struct ofox_json_scan *s) {
  skip_blanks(s);
  return s->p == s->e ? '\0' : *s->p;
}

int ofox_json_scan_value(struct ofox_json_scan *s, struct ofox_json *v) {
  int rc;
  skip_blanks(s);
  if (s->p == s->e)
    return 0;
  v->raw.p = s->p;
  if (*s->p == '{' || *s->p == '[') {
    v->type = *s->p == '{' ? OFOX_JSON_OBJECT : OFOX_JSON_ARRAY;
    rc = scan_nest(s);
  }
  else {
    rc = scan_scalar(s, &v->type);
  }
  v->raw.n = (size_t)(s->p - v->raw.p);
  return rc;
}

int ofox_json_scan_enter(struct ofox_json_scan *s) {
  return enter(s);
}

int ofox_json_scan_member(struct ofox_json_scan *s, int first,
                          struct ofox_span *name) {
  return member(s, first, name);
}
