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

/* What strings and numbers say. */

static int hex_digit(char c) {
  static const char digits[] = "0123456789abcdefABCDEF";
  const char *hit = memchr(digits, c, sizeof(digits) - 1);
  if (hit == NULL)
    return -1;
  return (int)(hit - digits) - (hit - digits < 16 ? 0 : 6);
}

/* Reads four hex digits at s.p + at, as far as they are there. */
static int hex4(struct ofox_span s, size_t at, size_t *n, unsigned long *v) {
  size_t i;
  int d;
  *v = 0;
  for (i = 0; i < 4; i++) {
    *n = at + i;
    if (at + i >= s.n)
      return 0;
    d = hex_digit(s.p[at + i]);
    if (d < 0)
      return OFOX_ESYNTAX;
    *v = *v * 16 + (unsigned long)d;
  }
  *n = at + 4;
  return 1;
}

int ofox_json_escape(struct ofox_span s, size_t *n, unsigned long *cp) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  unsigned long low;
  const char *hit;
  size_t end;
  int rc;
  *n = 1;
  if (s.n < 2)
    return 0;
  if (s.p[1] != 'u') {
    hit = memchr(from, s.p[1], sizeof(from) - 1);
    if (hit == NULL)
      return OFOX_ESYNTAX;
    *n = 2;
    *cp = (unsigned char)to[hit - from];
    return 1;
  }
  rc = hex4(s, 2, n, cp);
  if (rc == 1 && *cp >= 0xD800 && *cp <= 0xDBFF && s.n > 7 && s.p[6] == '\\' &&
      s.p[7] == 'u' && hex4(s, 8, &end, &low) == 1 && low >= 0xDC00 &&
      low <= 0xDFFF) {
    *n = end;
    *cp = 0x10000UL + ((*cp - 0xD800UL) << 10) + (low - 0xDC00UL);
  }
  return rc;
}

/*
** The same without refusing: of a broken escape the backslash alone is
** U+FFFD, a cut one is U+FFFD whole. Returns its length.
*/
static size_t escape(const char *p, const char *e, unsigned long *cp) {
  struct ofox_span s;
  size_t n;
  int rc;
  s.p = p;
  s.n = (size_t)(e - p);
  rc = ofox_json_escape(s, &n, cp);
  if (rc == 1)
    return n;
  *cp = OFOX_REPLACEMENT;
  return rc == 0 ? s.n : 1;
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
