#include "base/base64.h"

#include <stdint.h>

const char ofox_base64_letters[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "abcdefghijklmnopqrstuvwxyz"
                                     "0123456789+/";

/* No letter: however it is shifted, a bit beyond the 24 of a quad is set. */
#define NO 0xFFFFFFFFu
#define QUAD 0xFFFFFFu

/* clang-format off */
static const uint32_t values[256] = {
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO, NO, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
    NO,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO,
    NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
};
/* clang-format on */

int ofox_base64_encode(struct ofox_buf *out, struct ofox_span in) {
  const unsigned char *p = (const unsigned char *)in.p;
  size_t i, rest = in.n % 3;
  unsigned long v;
  char quad[4];
  int rc;
  if (in.n / 3 >= (size_t)-1 / 4)
    return OFOX_ECAP;
  rc = ofox_buf_reserve(out, (in.n / 3 + (rest > 0)) * 4);
  for (i = 0; rc == 0 && i < in.n; i += 3) {
    v = (unsigned long)p[i] << 16;
    if (in.n - i > 1)
      v |= (unsigned long)p[i + 1] << 8;
    if (in.n - i > 2)
      v |= p[i + 2];
    quad[0] = ofox_base64_letters[v >> 18];
    quad[1] = ofox_base64_letters[v >> 12 & 63];
    quad[2] = in.n - i > 1 ? ofox_base64_letters[v >> 6 & 63] : '=';
    quad[3] = in.n - i > 2 ? ofox_base64_letters[v & 63] : '=';
    rc = ofox_buf_add(out, quad, sizeof(quad));
  }
  return rc;
}

int ofox_base64_measure(struct ofox_span *in, size_t *bytes) {
  size_t padding = 0;
  while (padding < 2 && in->n > padding && in->p[in->n - padding - 1] == '=')
    padding++;
  if (padding > 0 && in->n % 4 != 0)
    return OFOX_ESYNTAX;
  in->n -= padding;
  if (in->n % 4 == 1)
    return OFOX_ESYNTAX;
  *bytes = in->n / 4 * 3 + (in->n % 4 > 0 ? in->n % 4 - 1 : 0);
  return 0;
}

int ofox_base64_bytes(unsigned char *out, struct ofox_span in) {
  const unsigned char *p = (const unsigned char *)in.p;
  const unsigned char *end = p + (in.n - in.n % 4);
  uint32_t v, seen = 0;
  for (; p < end; p += 4) {
    v = values[p[0]] << 18 | values[p[1]] << 12 | values[p[2]] << 6 |
        values[p[3]];
    seen |= v;
    *out++ = (unsigned char)(v >> 16);
    *out++ = (unsigned char)(v >> 8);
    *out++ = (unsigned char)v;
  }
  if (in.n % 4 > 1) {
    v = values[p[0]] << 18 | values[p[1]] << 12;
    if (in.n % 4 > 2)
      v |= values[p[2]] << 6;
    seen |= v;
    *out++ = (unsigned char)(v >> 16);
    if (in.n % 4 > 2)
      *out = (unsigned char)(v >> 8);
  }
  return seen > QUAD ? OFOX_ESYNTAX : 0;
}

int ofox_base64_decode(struct ofox_buf *out, struct ofox_span in) {
  size_t bytes;
  int rc = ofox_base64_measure(&in, &bytes);
  if (rc == 0)
    rc = ofox_buf_reserve(out, bytes);
  if (rc == 0 && bytes > 0)
    rc = ofox_base64_bytes((unsigned char *)out->p + out->n, in);
  if (rc == 0)
    out->n += bytes;
  return rc;
}

size_t ofox_base64_within(struct ofox_span s, size_t before, char *out,
                          size_t max) {
  size_t i = (before * 8 + 5) / 6, end = (before + s.n) * 8 / 6, n, bit;
  unsigned v;
  for (n = 0; i < end && n < max; i++) {
    bit = i * 6 - before * 8;
    v = (unsigned)(unsigned char)s.p[bit / 8] << 8;
    if (bit / 8 + 1 < s.n)
      v |= (unsigned char)s.p[bit / 8 + 1];
    out[n++] = ofox_base64_letters[v >> (10 - bit % 8) & 63];
  }
  return n;
}

int ofox_base64_make_url_safe(char *letters, size_t n) {
  int differs = 0;
  size_t i;
  for (i = 0; i < n; i++) {
    if (letters[i] != '+' && letters[i] != '/')
      continue;
    letters[i] = letters[i] == '+' ? '-' : '_';
    differs = 1;
  }
  return differs;
}
