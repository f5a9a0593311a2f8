#include "base/unescape.h"

#include <string.h>

#define REFERENCE                                                             \
  8 /* bytes between '&' and ';' of the longest, "#x0010FF"                   \
     */

/* The value of 'n' hexadecimal digits, or -1. */
static long hex(const char *p, size_t n) {
  long v = 0;
  size_t i;
  int c;
  for (i = 0; i < n; i++) {
    c = ofox_tolower((unsigned char)p[i]);
    if (ofox_isdigit(c))
      v = v * 16 + (c - '0');
    else if (c >= 'a' && c <= 'f')
      v = v * 16 + (c - 'a' + 10);
    else
      return -1;
  }
  return v;
}

static size_t one(char out[OFOX_UNESCAPED_MAX], int c, size_t length,
                  size_t *used) {
  out[0] = (char)c;
  *used = length;
  return 1;
}

static size_t from_url(struct ofox_span s, char out[OFOX_UNESCAPED_MAX],
                       size_t *used) {
  long v;
  if (s.p[0] != '%')
    return one(out, s.p[0] == '+' ? ' ' : s.p[0], 1, used);
  *used = 0;
  if (s.n < 3)
    return 0;
  v = hex(s.p + 1, 2);
  if (v < 0)
    return one(out, '%', 1, used);
  return one(out, v == '+' ? ' ' : (int)v, 3, used);
}

/* A code point in UTF-8; a lone surrogate as well. */
static size_t encode(unsigned long cp, char out[OFOX_UNESCAPED_MAX]) {
  size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4, i;
  for (i = n - 1; i > 0; i--) {
    out[i] = (char)(0x80 | (cp & 0x3F));
    cp >>= 6;
  }
  /* what is left of 0xF00 marks the length */
  out[0] = (char)(n == 1 ? cp : ((0xF00UL >> n) & 0xFF) | cp);
  return n;
}

/* What the name of a reference, all between '&' and ';', stands for; -1: it
** is none. */
static long referred(struct ofox_span name) {
  static const char *const rows[] = {"amp", "&",    "lt", "<",    "gt",
                                     ">",   "quot", "\"", "apos", "'"};
  long v = 0;
  size_t i;
  for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i += 2) {
    if (ofox_span_eq(name, rows[i]))
      return *rows[i + 1];
  }
  if (name.n < 2 || name.p[0] != '#')
    return -1;
  if (ofox_tolower((unsigned char)name.p[1]) == 'x')
    return name.n > 2 ? hex(name.p + 2, name.n - 2) : -1;
  for (i = 1; i < name.n; i++) {
    if (!ofox_isdigit((unsigned char)name.p[i]))
      return -1;
    v = v * 10 + (name.p[i] - '0');
  }
  return v;
}

static int is_in_name(char c) {
  int l = ofox_tolower((unsigned char)c);
  return c == '#' || ofox_isdigit(l) || (l >= 'a' && l <= 'z');
}

static size_t from_html(struct ofox_span s, char out[OFOX_UNESCAPED_MAX],
                        size_t *used) {
  struct ofox_span name = {s.p + 1, 0};
  long v;
  if (s.p[0] != '&')
    return one(out, s.p[0], 1, used);
  while (name.n <= REFERENCE && 1 + name.n < s.n && is_in_name(name.p[name.n]))
    name.n++;
  *used = 0;
  if (name.n <= REFERENCE && 1 + name.n == s.n)
    return 0;
  v = name.n <= REFERENCE && name.p[name.n] == ';' ? referred(name) : -1;
  if (v < 0 || v > 0x10FFFF)
    return one(out, '&', 1, used);
  *used = name.n + 2;
  return encode((unsigned long)v, out);
}

/* Past the backslash at 'i'; deeply, past all there, also those spelt
** \u005c. */
static size_t skip_backslash(struct ofox_span s, size_t i, int deeply) {
  i++;
  while (deeply) {
    if (i < s.n && s.p[i] == '\\')
      i++;
    else if (s.n - i >= 5 && s.p[i] == 'u' && hex(s.p + i + 1, 4) == '\\')
      i += 5;
    else
      break;
  }
  return i;
}

/*
** What 'high', a code of which 'i' is behind, makes with the other half behind
** it: 1, and '*end' is behind both; 0: there is none; -1: the text ends.
*/
static int join(struct ofox_span s, size_t i, int deeply, unsigned long *cp,
                size_t *end) {
  long low;
  if (i < s.n && s.p[i] != '\\')
    return 0;
  if (i < s.n)
    i = skip_backslash(s, i, deeply);
  if (i >= s.n || (s.p[i] == 'u' && s.n - i < 5))
    return -1;
  low = s.p[i] == 'u' ? hex(s.p + i + 1, 4) : -1;
  if (low < 0xDC00 || low > 0xDFFF)
    return 0;
  *cp = 0x10000 + ((*cp - 0xD800) << 10) + ((unsigned long)low - 0xDC00);
  *end = i + 5;
  return 1;
}

/* uXXXX at 'i'; with its other half behind it, both. */
static size_t from_code(struct ofox_span s, size_t i, int deeply,
                        char out[OFOX_UNESCAPED_MAX], size_t *used) {
  unsigned long cp;
  long v;
  *used = 0;
  if (s.n - i < 5)
    return 0;
  v = hex(s.p + i + 1, 4);
  if (v < 0)
    return one(out, 'u', i + 1, used);
  cp = (unsigned long)v;
  *used = i + 5;
  if (v >= 0xD800 && v < 0xDC00 && join(s, i + 5, deeply, &cp, used) < 0) {
    *used = 0;
    return 0;
  }
  return encode(cp, out);
}

static size_t from_json(struct ofox_span s, int deeply,
                        char out[OFOX_UNESCAPED_MAX], size_t *used) {
  static const char escapes[] = "b\bf\fn\nr\rt\t";
  size_t i, k;
  if (s.p[0] != '\\')
    return one(out, s.p[0], 1, used);
  i = skip_backslash(s, 0, deeply);
  if (i == s.n) {
    *used = 0;
    return 0;
  }
  if (s.p[i] == 'u')
    return from_code(s, i, deeply, out, used);
  for (k = 0; k < sizeof(escapes) - 1; k += 2) {
    if (s.p[i] == escapes[k])
      return one(out, escapes[k + 1], i + 1, used);
  }
  return one(out, s.p[i], i + 1, used);
}

size_t ofox_unescape(enum ofox_escaped how, struct ofox_span s,
                     char out[OFOX_UNESCAPED_MAX], size_t *used) {
  switch (how) {
  case OFOX_ESCAPED_URL:
    return from_url(s, out, used);
  case OFOX_ESCAPED_JSON:
    return from_json(s, 0, out, used);
  case OFOX_ESCAPED_DEEPLY:
    return from_json(s, 1, out, used);
  case OFOX_ESCAPED_HTML:
    return from_html(s, out, used);
  default:
    return one(out, s.p[0], 1, used);
  }
}

int ofox_unescape_applies(enum ofox_escaped how, struct ofox_span s) {
  switch (how) {
  case OFOX_ESCAPED_URL:
    return s.n > 0 &&
           (memchr(s.p, '%', s.n) != NULL || memchr(s.p, '+', s.n) != NULL);
  case OFOX_ESCAPED_JSON:
  case OFOX_ESCAPED_DEEPLY:
    return s.n > 0 && memchr(s.p, '\\', s.n) != NULL;
  case OFOX_ESCAPED_HTML:
    return s.n > 0 && memchr(s.p, '&', s.n) != NULL;
  default:
    return 1;
  }
}

size_t ofox_unescape_plain(enum ofox_escaped how, struct ofox_span s) {
  const char *p = NULL;
  size_t i = 0;
  if (how == OFOX_ESCAPED_URL) { /* one pass for both, so that it is linear */
    while (i < s.n && s.p[i] != '%' && s.p[i] != '+')
      i++;
    return i;
  }
  if (how != OFOX_ESCAPED_NOT && s.n > 0)
    p = memchr(s.p, how == OFOX_ESCAPED_HTML ? '&' : '\\', s.n);
  return p == NULL ? s.n : (size_t)(p - s.p);
}
