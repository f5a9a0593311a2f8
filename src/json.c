#include "json.h"
#include "utf8.h"

#include <stdint.h>
#include <string.h>

#define ONES 0x0101010101010101U
#define HIGHS 0x8080808080808080U

#define LONG_NUMBER 16 /* digits: may be more than a double can hold */

static int is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static const char *skip_blanks(const char *p, const char *e) {
  while (p < e && is_blank(*p))
    p++;
  return p;
}

/* Nonzero if a byte of 'w' is zero. */
static uint64_t zero_byte(uint64_t w) {
  return (w - ONES) & ~w & HIGHS;
}

/*
** First byte at or after 'p' that ends a plain run inside a string: quote,
** backslash or NUL. '*high' collects the top bits of the bytes passed.
*/
static const char *plain_run(const char *p, const char *e, uint64_t *high) {
  uint64_t w, seen = 0;
  while ((size_t)(e - p) >= sizeof(w)) {
    memcpy(&w, p, sizeof(w));
    if (zero_byte(w) | zero_byte(w ^ ONES * '"') | zero_byte(w ^ ONES * '\\'))
      break;
    seen |= w & HIGHS;
    p += sizeof(w);
  }
  for (; p < e && *p != '"' && *p != '\\' && *p != '\0'; p++)
    seen |= (unsigned char)*p & 0x80U;
  *high |= seen;
  return p;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/* The four hex digits at 'p', or -1. */
static long hex4(const char *p, const char *e) {
  long v = 0;
  int i, d;
  if (e - p < 4)
    return -1;
  for (i = 0; i < 4; i++) {
    d = hex_digit(p[i]);
    if (d < 0)
      return -1;
    v = v * 16 + d;
  }
  return v;
}

/*
** Reads the "\uXXXX" whose hex digits start at 'p', with its other half if
** it is a surrogate that has one. Returns the bytes read and the code point
** (a lone surrogate as it is), or 0 if the digits are broken.
*/
static size_t unicode(const char *p, const char *e, unsigned long *cp) {
  long lo, hi = hex4(p, e);
  if (hi < 0)
    return 0;
  *cp = (unsigned long)hi;
  if (hi < 0xD800 || hi > 0xDBFF || e - p < 10 || p[4] != '\\' || p[5] != 'u')
    return 4;
  lo = hex4(p + 6, e);
  if (lo < 0xDC00 || lo > 0xDFFF)
    return 4;
  *cp = 0x10000UL + ((*cp - 0xD800UL) << 10) + (unsigned long)(lo - 0xDC00);
  return 10;
}

static int is_surrogate(unsigned long cp) {
  return cp >= 0xD800 && cp <= 0xDFFF;
}

/* What a one-letter escape stands for, or 0. */
static char simple_escape(char c) {
  switch (c) {
  case '"':
  case '\\':
  case '/':
    return c;
  case 'b':
    return '\b';
  case 'f':
    return '\f';
  case 'n':
    return '\n';
  case 'r':
    return '\r';
  case 't':
    return '\t';
  default:
    return 0;
  }
}

/*
** The strict pass. Its parts read at s->p and return 1 (read), 0 (the text
** ends) or OFOX_ESYNTAX (s->p is the offending byte).
*/
struct scan {
  const char *p, *e;
  unsigned has;
  unsigned depth;
  /* the open containers, a bit each: 1 is an object */
  unsigned char objects[(OFOX_JSON_DEPTH + 8) / 8];
};

static int scan_unicode(struct scan *s) {
  unsigned long cp = 0;
  size_t n = unicode(s->p, s->e, &cp);
  if (n == 0) {
    while (s->p < s->e && hex_digit(*s->p) >= 0)
      s->p++;
    return s->p == s->e ? 0 : OFOX_ESYNTAX;
  }
  if (is_surrogate(cp))
    s->has |= OFOX_JSON_HAS_LONE;
  s->p += n;
  return 1;
}

/* From after the opening quote to after the closing one. */
static int scan_string(struct scan *s) {
  uint64_t high = 0;
  int rc = 1;
  while (rc == 1) {
    s->p = plain_run(s->p, s->e, &high);
    if (s->p == s->e)
      rc = 0;
    else if (*s->p == '\0')
      rc = OFOX_ESYNTAX;
    else if (*s->p++ == '"')
      break;
    else if (s->p == s->e)
      rc = 0;
    else if (*s->p == 'u') {
      s->p++;
      rc = scan_unicode(s);
    }
    else if (simple_escape(*s->p) == 0)
      rc = OFOX_ESYNTAX;
    else
      s->p++;
  }
  if (high != 0)
    s->has |= OFOX_JSON_HAS_HIGH;
  return rc;
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
  const char *start = s->p;
  int rc = 1;
  if (*s->p == '-')
    s->p++;
  if (s->p < s->e && *s->p == '0')
    s->p++;
  else
    rc = scan_digits(s);
  s->has |= OFOX_JSON_HAS_NUMBER;
  if (s->p - start >= LONG_NUMBER)
    s->has |= OFOX_JSON_HAS_LONG;
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
    s->has |= OFOX_JSON_HAS_NULL;
    return scan_literal(s, "null");
  default:
    if (*s->p != '-' && !ofox_isdigit(*s->p))
      return OFOX_ESYNTAX;
    return scan_number(s);
  }
}

static int in_object(const struct scan *s) {
  return s->objects[s->depth >> 3] >> (s->depth & 7) & 1;
}

/* Opens a container; level 0 is the text itself. */
static int scan_open(struct scan *s) {
  unsigned char bit;
  if (s->depth == OFOX_JSON_DEPTH)
    return OFOX_ESYNTAX;
  s->depth++;
  bit = (unsigned char)(1U << (s->depth & 7));
  if (*s->p++ == '{')
    s->objects[s->depth >> 3] |= bit;
  else
    s->objects[s->depth >> 3] &= (unsigned char)~bit;
  return 1;
}

static int scan_key(struct scan *s) {
  int rc;
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

enum want { VALUE, FIRST, KEY, FIRST_KEY, COMMA };

/* One value or key, or the bracket that stands in its place. */
static int scan_item(struct scan *s, enum want *want) {
  int rc;
  char c = *s->p;
  if ((*want == FIRST && c == ']') || (*want == FIRST_KEY && c == '}')) {
    if (c == ']')
      s->has |= OFOX_JSON_HAS_EMPTY;
    s->p++;
    s->depth--;
    *want = COMMA;
    return 1;
  }
  if (*want == KEY || *want == FIRST_KEY) {
    *want = VALUE;
    return scan_key(s);
  }
  if (c == '{' || c == '[') {
    *want = c == '{' ? FIRST_KEY : FIRST;
    return scan_open(s);
  }
  rc = scan_scalar(s);
  *want = COMMA;
  return rc;
}

/* What follows a value inside a container. */
static int scan_comma(struct scan *s, enum want *want) {
  int object = in_object(s);
  if (*s->p == ',')
    *want = object ? KEY : VALUE;
  else if (*s->p == (object ? '}' : ']'))
    s->depth--;
  else
    return OFOX_ESYNTAX;
  s->p++;
  return 1;
}

static int scan_text(struct scan *s) {
  enum want want = VALUE;
  int rc = 1;
  while (rc == 1) {
    s->p = skip_blanks(s->p, s->e);
    if (s->depth == 0 && want == COMMA)
      return s->p == s->e ? 1 : OFOX_ESYNTAX;
    if (s->p == s->e)
      return 0;
    rc = want == COMMA ? scan_comma(s, &want) : scan_item(s, &want);
  }
  return rc;
}

int ofox_json_scan(struct ofox_span text, unsigned *has, size_t *pos) {
  struct ofox_span body = ofox_utf8_skip_bom(text);
  struct scan s;
  int rc;
  memset(&s, 0, sizeof(s));
  if (body.n == 0) {
    s.p = s.e = text.p;
    rc = 0;
  }
  else {
    s.p = body.p;
    s.e = body.p + body.n;
    rc = scan_text(&s);
  }
  *has = s.has;
  *pos = s.p == NULL ? 0 : (size_t)(s.p - text.p);
  /* a byte order mark that was cut is no garbage */
  if (rc < 0 && text.n < 3 && memcmp(text.p, "\xEF\xBB", text.n) == 0)
    rc = 0;
  return rc;
}

int ofox_json_check(struct ofox_span text, size_t *pos) {
  unsigned has;
  return ofox_json_scan(text, &has, pos);
}

/* The lenient part: past a string whose opening quote is at 'p'. */
static const char *skip_string(const char *p, const char *e) {
  uint64_t high = 0;
  for (p++; p < e; p++) {
    p = plain_run(p, e, &high);
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
  s.has = 0;
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
  const char *e = v.raw.p + v.raw.n, *p;
  *key = *child = none;
  if (v.type != OFOX_JSON_ARRAY && v.type != OFOX_JSON_OBJECT)
    return 0;
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

/*
** Reads the escape whose backslash is at 'p': its length and code point. Of a
** broken one the backslash alone is U+FFFD; one that is cut is U+FFFD whole.
*/
static size_t escape(const char *p, const char *e, unsigned long *cp) {
  size_t n;
  *cp = OFOX_REPLACEMENT;
  if (e - p < 2)
    return 1;
  if (p[1] == 'u') {
    n = unicode(p + 2, e, cp);
    if (n > 0)
      return n + 2;
    return e - p < 6 ? (size_t)(e - p) : 1;
  }
  if (simple_escape(p[1]) == 0)
    return 1;
  *cp = (unsigned char)simple_escape(p[1]);
  return 2;
}

int ofox_json_text(struct ofox_json v, struct ofox_buf *out) {
  const char *p, *e;
  struct ofox_span run;
  unsigned long cp;
  int rc = 0;
  if (v.type != OFOX_JSON_STRING)
    return 0;
  p = v.raw.p + 1;
  e = v.raw.p + v.raw.n;
  while (rc == 0 && p < e && *p != '"') {
    run.p = p;
    while (p < e && *p != '"' && *p != '\\')
      p++;
    run.n = (size_t)(p - run.p);
    rc = ofox_utf8_clean(out, run);
    if (rc == 0 && p < e && *p == '\\') {
      p += escape(p, e, &cp);
      rc = ofox_utf8_put(out, cp);
    }
  }
  return rc;
}

int ofox_json_is(struct ofox_json v, const char *text) {
  const char *p, *e;
  char utf8[4];
  struct ofox_buf one; /* over 'utf8', which is all it can need: no malloc */
  unsigned long cp;
  if (v.type != OFOX_JSON_STRING)
    return 0;
  p = v.raw.p + 1;
  e = v.raw.p + v.raw.n;
  one.p = utf8;
  one.cap = one._size = sizeof(utf8);
  while (p < e && *p != '"') {
    one.n = 0;
    utf8[0] = *p;
    if (*p != '\\') {
      one.n = 1;
      p++;
    }
    else {
      p += escape(p, e, &cp);
      if (ofox_utf8_put(&one, cp) != 0)
        return 0;
    }
    if (utf8[0] == '\0' || strncmp(text, utf8, one.n) != 0)
      return 0;
    text += one.n;
  }
  return p < e && *text == '\0';
}

int ofox_json_mend(struct ofox_span text, struct ofox_buf *out) {
  const char *p = text.p, *e = text.p + text.n, *from = p;
  unsigned long cp;
  size_t n;
  int rc = 0;
  while (rc == 0 && p < e) {
    p = memchr(p, '\\', (size_t)(e - p));
    if (p == NULL)
      break;
    n = escape(p, e, &cp);
    if (is_surrogate(cp)) {
      rc = ofox_buf_add(out, from, (size_t)(p - from));
      if (rc == 0)
        rc = ofox_buf_adds(out, "\\ufffd");
      from = p + n;
    }
    p += n;
  }
  return rc != 0 ? rc : ofox_buf_add(out, from, (size_t)(e - from));
}

/*
** 'd' times ten to the power of 'exp': exact rounding up to 15 places, a few
** units in the last place off beyond.
*/
static double scale(double d, long exp) {
  static const double tens[] = {1e1,  1e2,  1e4,   1e8,  1e16,
                                1e32, 1e64, 1e128, 1e256};
  unsigned long n = exp < 0 ? 0UL - (unsigned long)exp : (unsigned long)exp;
  double power = 1;
  int i;
  for (i = 0; i < 9; i++, n >>= 1) {
    if (n & 1)
      power *= tens[i];
    if (i >= 3) {
      d = exp < 0 ? d / power : d * power;
      power = 1;
    }
  }
  return d;
}

/* The exponent's digits at 'p', far beyond any double at most. */
static long exponent(const char *p, const char *e) {
  int minus = *p == '-';
  long v = 0;
  for (p += minus || *p == '+'; p < e && v < 100000000; p++)
    v = v * 10 + (*p - '0');
  return minus ? -v : v;
}

int ofox_json_number(struct ofox_json v, double *out) {
  const char *p = v.raw.p, *e = v.raw.p + v.raw.n;
  uint64_t m = 0;
  long exp = 0, frac = 0;
  int minus;
  if (v.type != OFOX_JSON_NUMBER)
    return 0;
  minus = *p == '-';
  for (p += minus; p < e && *p != 'e' && *p != 'E'; p++) {
    if (*p == '.')
      frac = 1;
    else if (m < UINT64_MAX / 10 - 1) {
      m = m * 10 + (uint64_t)(*p - '0');
      exp -= frac;
    }
    else
      exp += 1 - frac;
  }
  if (p < e)
    exp += exponent(p + 1, e);
  if (exp < -400 || exp > 400)
    exp = exp < 0 ? -400 : 400;
  *out = m == 0 ? 0 : scale((double)m, exp);
  if (minus)
    *out = -*out;
  return 1;
}
