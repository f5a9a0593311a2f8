#include "base/base64.h"

#include <stdint.h>

const char ofox_base64_letters[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "abcdefghijklmnopqrstuvwxyz"
                                     "0123456789+/";

/*
** The three bytes that a quad of letters stands for, the first one lowest:
** for each place in the quad, what a letter of value 'v' adds to them.
*/
#define FIRST(v) ((v) << 2)
#define SECOND(v) ((v) >> 4 | ((v)&15u) << 12)
#define THIRD(v) (((v)&60u) << 6 | ((v)&3u) << 22)
#define FOURTH(v) ((v) << 16)

/* No letter: a bit beyond the three bytes. */
#define NO 0x80000000u
#define QUAD 0xFFFFFFu

#define NO8 NO, NO, NO, NO, NO, NO, NO, NO
#define NO32 NO8, NO8, NO8, NO8
#define LETTERS4(at, v) at(v), at(v + 1u), at(v + 2u), at(v + 3u)
#define LETTERS8(at, v) LETTERS4(at, v), LETTERS4(at, v + 4u)
#define LETTERS26(at, v)                                                      \
  LETTERS8(at, v), LETTERS8(at, v + 8u), LETTERS8(at, v + 16u), at(v + 24u),  \
      at(v + 25u)

/* clang-format off */
#define PLACE(at) { \
    NO32, \
    NO8, NO, NO, NO, at(62u), NO, NO, NO, at(63u), \
    LETTERS8(at, 52u), at(60u), at(61u), NO, NO, NO, NO, NO, NO, \
    NO, LETTERS26(at, 0u), NO, NO, NO, NO, NO, \
    NO, LETTERS26(at, 26u), NO, NO, NO, NO, NO, \
    NO32, NO32, NO32, NO32, \
}
/* clang-format on */

static const uint32_t letters[4][256] = {PLACE(FIRST), PLACE(SECOND),
                                         PLACE(THIRD), PLACE(FOURTH)};

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

/* A whole quad to three bytes, in one store: the fourth byte, which is 0, is
** for the next quad to write. Returns what shows whether all were letters. */
static uint32_t quad_bytes(unsigned char *out, const unsigned char *p) {
  uint32_t v = letters[0][p[0]] | letters[1][p[1]] | letters[2][p[2]] |
               letters[3][p[3]];
  out[0] = (unsigned char)v;
  out[1] = (unsigned char)(v >> 8);
  out[2] = (unsigned char)(v >> 16);
  out[3] = (unsigned char)(v >> 24);
  return v;
}

int ofox_base64_bytes(unsigned char *out, struct ofox_span in) {
  const unsigned char *p = (const unsigned char *)in.p;
  uint32_t v, seen = 0;
  size_t n = in.n;
  for (; n > 17; n -= 16, p += 16, out += 12) {
    seen |= quad_bytes(out, p);
    seen |= quad_bytes(out + 3, p + 4);
    seen |= quad_bytes(out + 6, p + 8);
    seen |= quad_bytes(out + 9, p + 12);
  }
  for (; n > 1; n -= n < 4 ? n : 4, p += 4, out += 3) {
    v = letters[0][p[0]] | letters[1][p[1]];
    v |= n > 2 ? letters[2][p[2]] : 0;
    v |= n > 3 ? letters[3][p[3]] : 0;
    seen |= v;
    out[0] = (unsigned char)v;
    if (n > 2)
      out[1] = (unsigned char)(v >> 8);
    if (n > 3)
      out[2] = (unsigned char)(v >> 16);
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

int ofox_base64_make_url_safe(char *text, size_t n) {
  int differs = 0;
  size_t i;
  for (i = 0; i < n; i++) {
    if (text[i] != '+' && text[i] != '/')
      continue;
    text[i] = text[i] == '+' ? '-' : '_';
    differs = 1;
  }
  return differs;
}
