#include "base/json_escape.h"

#include <string.h>

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
