#include "base/utf8.h"

#include <string.h>

/*
** Length of the code point that starts at 'p', or 0 if it is broken; then
** '*bad' is how many bytes belong to the broken piece (at least 1).
*/
static size_t one(const unsigned char *p, size_t n, size_t *bad) {
  unsigned char lo = 0x80, hi = 0xBF;
  size_t len, i;
  *bad = 1;
  if (p[0] < 0x80)
    return 1;
  if (p[0] < 0xC2 || p[0] > 0xF4)
    return 0;
  len = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
  /* the second byte excludes overlong forms, surrogates, > U+10FFFF */
  if (p[0] == 0xE0)
    lo = 0xA0;
  else if (p[0] == 0xED)
    hi = 0x9F;
  else if (p[0] == 0xF0)
    lo = 0x90;
  else if (p[0] == 0xF4)
    hi = 0x8F;
  for (i = 1; i < len; i++) {
    if (i >= n || p[i] < lo || p[i] > hi)
      return 0;
    *bad = i + 1;
    lo = 0x80;
    hi = 0xBF;
  }
  return len;
}

size_t ofox_utf8_valid(struct ofox_span s) {
  const unsigned char *p = (const unsigned char *)s.p;
  size_t i = 0, len, bad;
  while (i < s.n) {
    len = p[i] < 0x80 ? 1 : one(p + i, s.n - i, &bad);
    if (len == 0)
      break;
    i += len;
  }
  return i;
}

const char *ofox_utf8_skip(const char *p, const char *e) {
  size_t len, bad;
  while (p < e && (unsigned char)*p >= 0x80) {
    len = one((const unsigned char *)p, (size_t)(e - p), &bad);
    if (len == 0)
      break;
    p += len;
  }
  return p;
}

size_t ofox_utf8_broken(const char *p, const char *e) {
  size_t bad;
  one((const unsigned char *)p, (size_t)(e - p), &bad);
  return bad;
}

size_t ofox_utf8_bytes(char to[4], unsigned long cp) {
  if (cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
    cp = OFOX_REPLACEMENT;
  if (cp < 0x80) {
    to[0] = (char)cp;
    return 1;
  }
  if (cp < 0x800) {
    to[0] = (char)(0xC0 | (cp >> 6));
    to[1] = (char)(0x80 | (cp & 0x3F));
    return 2;
  }
  if (cp < 0x10000) {
    to[0] = (char)(0xE0 | (cp >> 12));
    to[1] = (char)(0x80 | ((cp >> 6) & 0x3F));
    to[2] = (char)(0x80 | (cp & 0x3F));
    return 3;
  }
  to[0] = (char)(0xF0 | (cp >> 18));
  to[1] = (char)(0x80 | ((cp >> 12) & 0x3F));
  to[2] = (char)(0x80 | ((cp >> 6) & 0x3F));
  to[3] = (char)(0x80 | (cp & 0x3F));
  return 4;
}

int ofox_utf8_put(struct ofox_buf *out, unsigned long cp) {
  char b[4];
  size_t n = ofox_utf8_bytes(b, cp);
  return ofox_buf_add(out, b, n);
}

int ofox_utf8_clean(struct ofox_buf *out, struct ofox_span s) {
  size_t good, bad;
  int rc = 0;
  while (s.n > 0 && rc == 0) {
    good = ofox_utf8_valid(s);
    rc = ofox_buf_add(out, s.p, good);
    s.p += good;
    s.n -= good;
    if (rc == 0 && s.n > 0) {
      one((const unsigned char *)s.p, s.n, &bad);
      rc = ofox_utf8_put(out, OFOX_REPLACEMENT);
      s.p += bad;
      s.n -= bad;
    }
  }
  return rc;
}

struct ofox_span ofox_utf8_cut(struct ofox_span s, size_t max) {
  if (s.n <= max)
    return s;
  s.n = max;
  while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xC0) == 0x80)
    s.n--;
  return s;
}

struct ofox_span ofox_utf8_skip_bom(struct ofox_span s) {
  if (s.n >= 3 && memcmp(s.p, "\xEF\xBB\xBF", 3) == 0) {
    s.p += 3;
    s.n -= 3;
  }
  return s;
}
