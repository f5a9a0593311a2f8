#include "base/json_escape.h"

static int hex_digit(char c) {
  unsigned digit = (unsigned char)(c - '0');
  unsigned letter = (unsigned char)((c | 0x20) - 'a');
  if (digit <= 9)
    return (int)digit;
  return letter < 6 ? (int)letter + 10 : -1;
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

/* What a backslash and 'c' stand for, or 0. */
static unsigned long character(char c) {
  switch (c) {
  case '"':
  case '\\':
  case '/':
    return (unsigned char)c;
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

int ofox_json_escape(struct ofox_span s, size_t *n, unsigned long *cp) {
  unsigned long low;
  size_t end;
  int rc;
  *n = 1;
  if (s.n < 2)
    return 0;
  if (s.p[1] != 'u') {
    *cp = character(s.p[1]);
    if (*cp == 0)
      return OFOX_ESYNTAX;
    *n = 2;
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
