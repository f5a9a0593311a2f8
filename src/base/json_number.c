#include "base/json_number.h"

#include <float.h>
#include <string.h>

#include "base/decimal.h"

#define EXACT                                                                 \
  (UINT64_C(1) << 53) /* a double holds each integer up to here               \
                       */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static int is_digit(char c) {
  return (unsigned char)(c - '0') <= 9;
}

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

/* Eight digits at once, if as many are at 'p'. */
static inline int read_eight(const char *p, uint64_t *m) {
  uint64_t w;
  memcpy(&w, p, sizeof(w));
  w ^= EACH('0');
  if (((w | (w + EACH(6))) & EACH(0xF0)) != 0)
    return 0;
  /* neighbours become numbers of two digits, of four, of eight */
  w = (w & UINT64_C(0x00FF00FF00FF00FF)) * 10 +
      (w >> 8 & UINT64_C(0x00FF00FF00FF00FF));
  w = (w & UINT64_C(0x0000FFFF0000FFFF)) * 100 +
      (w >> 16 & UINT64_C(0x0000FFFF0000FFFF));
  *m = *m * 100000000 + (w & UINT32_MAX) * 10000 + (w >> 32);
  return 1;
}

#else

static inline int read_eight(const char *p, uint64_t *m) {
  (void)p;
  (void)m;
  return 0;
}

#endif

/* Digits into 'm'; what does not fit is lost. */
static inline const char *read_digits(const char *p, const char *e,
                                      uint64_t *m) {
  unsigned char c;
  for (; p < e && (c = (unsigned char)(*p - '0')) <= 9; p++)
    *m = *m * 10 + c;
  return p;
}

/* 'm', of so many digits, times ten to the power of 'exp', as it stands at
** 'p'. */
static inline double value_of(uint64_t m, size_t digits, int64_t exp,
                              const char *p, const char *e) {
  static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  /* two numbers without an error, one rounding */
  if (digits <= OFOX_DECIMAL_DIGITS && m <= EXACT && exp >= -22 && exp <= 22 &&
      FLT_EVAL_METHOD == 0) {
    return exp < 0 ? (double)(int64_t)m / tens[-exp]
                   : (double)(int64_t)m * tens[exp];
  }
  return digits == 0 ? 0 : ofox_decimal_value(m, digits, exp, p, e);
}

/* From the point or the exponent on: 'm' has 'digits' so far, the first of
** which is at 'first'. */
static const char *read_float(uint64_t m, size_t digits, const char *first,
                              const char *p, const char *e,
                              struct ofox_json_number *out) {
  const char *point = p, *from;
  int64_t exp = 0;
  if (*p == '.') {
    p++;
    while (digits == 0 && p < e && *p == '0')
      p++;
    from = p;
    while (e - p >= 8 && is_digit(*p) && read_eight(p, &m))
      p += 8;
    p = read_digits(p, e, &m);
    digits += (size_t)(p - from);
    exp = point + 1 - p;
    if (exp == 0)
      return NULL;
  }
  if (p < e && (*p == 'e' || *p == 'E')) {
    out->i = exp;
    p = ofox_decimal_exponent(p, e, &out->i);
    exp = out->i;
    if (p == NULL)
      return NULL;
  }
  out->whole = 0;
  out->d = value_of(m, digits, exp, first, p);
  return p;
}

const char *ofox_json_read_number(const char *p, const char *e,
                                  struct ofox_json_number *out) {
  const char *first;
  uint64_t m = 0;
  size_t digits;
  int minus = p < e && *p == '-';
  first = p += minus;
  if (p == e || !is_digit(*p))
    return NULL;
  if (*p != '0')
    p = read_digits(p, e, &m);
  digits = (size_t)(p - first);
  p += digits == 0;
  if (p < e && (*p == '.' || *p == 'e' || *p == 'E'))
    p = read_float(m, digits, first, p, e, out);
  else {
    out->whole = digits <= OFOX_DECIMAL_DIGITS &&
                 m <= (uint64_t)INT64_MAX + (uint64_t)minus;
    out->i = (int64_t)(minus ? 0 - m : m);
    out->d = out->whole ? (double)m : value_of(m, digits, 0, first, p);
  }
  if (minus && p != NULL)
    out->d = -out->d;
  return p;
}

size_t ofox_json_count_commas(const char *p, const char *e) {
  uint64_t w, found;
  size_t n = 0;
  int i;
  while ((size_t)(e - p) >= sizeof(w)) {
    found = 0; /* how many, at each of eight places */
    for (i = 0; i < 255 && (size_t)(e - p) >= sizeof(w); i++) {
      memcpy(&w, p, sizeof(w));
      w ^= EACH(',');
      /* the top bit of each byte that is 0 */
      w = ~(((w & EACH(0x7F)) + EACH(0x7F)) | w) & EACH(0x80);
      found += w >> 7;
      p += sizeof(w);
    }
    found = (found & UINT64_C(0x00FF00FF00FF00FF)) +
            (found >> 8 & UINT64_C(0x00FF00FF00FF00FF));
    n += (size_t)(found * UINT64_C(0x0001000100010001) >> 48);
  }
  for (; p < e; p++)
    n += *p == ',';
  return n;
}
