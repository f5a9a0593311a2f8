#include "redis/sha1.h"

#include <stdint.h>
#include <string.h>

#define BLOCK 64

static uint32_t turned(uint32_t x, int bits) {
  return x << bits | x >> (32 - bits);
}

/* The function and the constant of a round. */
static uint32_t mixed(int round, uint32_t b, uint32_t c, uint32_t d) {
  if (round < 20)
    return ((b & c) | (~b & d)) + 0x5A827999;
  if (round < 40)
    return (b ^ c ^ d) + 0x6ED9EBA1;
  if (round < 60)
    return ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC;
  return (b ^ c ^ d) + 0xCA62C1D6;
}

static void digest(uint32_t h[5], const unsigned char *p) {
  uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], t;
  int i;
  for (i = 0; i < 16; i++, p += 4)
    w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
  for (; i < 80; i++)
    w[i] = turned(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  for (i = 0; i < 80; i++) {
    t = turned(a, 5) + mixed(i, b, c, d) + e + w[i];
    e = d;
    d = c;
    c = turned(b, 30);
    b = a;
    a = t;
  }
  h[0] += a;
  h[1] += b;
  h[2] += c;
  h[3] += d;
  h[4] += e;
}

/* What is left of the text, a bit, zeros, and how many bits the text has. */
static void finish(uint32_t h[5], const char *rest, size_t n, uint64_t bits) {
  unsigned char last[2 * BLOCK];
  size_t size = n + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
  int i;
  memset(last, 0, sizeof(last));
  if (n > 0)
    memcpy(last, rest, n);
  last[n] = 0x80;
  for (i = 1; i <= 8; i++, bits >>= 8)
    last[size - (size_t)i] = (unsigned char)(bits & 0xFF);
  digest(h, last);
  if (size > BLOCK)
    digest(h, last + BLOCK);
}

void ofox_sha1(struct ofox_span text, char digits[OFOX_SHA1_DIGITS + 1]) {
  uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  const char *p = text.p;
  size_t left = text.n;
  int i;
  for (; left >= BLOCK; left -= BLOCK, p += BLOCK)
    digest(h, (const unsigned char *)p);
  finish(h, p, left, (uint64_t)text.n * 8);
  for (i = 0; i < OFOX_SHA1_DIGITS; i++)
    digits[i] = "0123456789abcdef"[h[i / 8] >> (28 - i % 8 * 4) & 0xF];
  digits[OFOX_SHA1_DIGITS] = '\0';
}
