#include "base/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Digits that can decide between two doubles (767), and then some. */
#define DECIDING 800

static int is_digit(char c) {
  return (unsigned char)(c - '0') <= 9;
}

const char *ofox_decimal_exponent(const char *p, const char *e, int64_t *exp) {
  int64_t v = 0;
  const char *first;
  int minus;
  p++;
  minus = p < e && *p == '-';
  if (p < e && (*p == '-' || *p == '+'))
    p++;
  for (first = p; p < e && is_digit(*p); p++) {
    if (v < INT64_MAX / 1000)
      v = v * 10 + (*p - '0');
  }
  *exp += minus ? -v : v;
  return p > first ? p : NULL;
}

/*
** The C library's reading of a number of any length. It gets no point, so that
** no locale can matter, and of the digits those that can decide.
*/
static double read_slowly(const char *p, const char *e) {
  char text[DECIDING + 32];
  size_t n = 0;
  int64_t exp = 0;
  int behind = 0, more = 0;
  for (; p < e && (is_digit(*p) || *p == '.'); p++) {
    if (*p == '.')
      behind = 1;
    else if (n == 0 && *p == '0')
      exp -= behind;
    else if (n < DECIDING) {
      text[n++] = *p;
      exp -= behind;
    }
    else {
      more |= *p != '0';
      exp += !behind;
    }
  }
  if (n == 0)
    return 0;
  if (more) { /* by whatever it is more */
    text[n++] = '1';
    exp--;
  }
  if (p < e)
    ofox_decimal_exponent(p, e, &exp);
  if (exp < -100000 || exp > 100000)
    exp = exp < 0 ? -100000 : 100000;
  snprintf(text + n, sizeof(text) - n, "e%ld", (long)exp);
  return strtod(text, NULL);
}

#if defined(__SIZEOF_INT128__)

#define FIVES 27 /* more do not fit 64 bits */
__extension__ typedef unsigned __int128 wide;

static const uint64_t FIVE_TO_THE[FIVES + 1] = {1,
                                                5,
                                                25,
                                                125,
                                                625,
                                                3125,
                                                15625,
                                                78125,
                                                390625,
                                                1953125,
                                                9765625,
                                                48828125,
                                                244140625,
                                                1220703125,
                                                6103515625,
                                                30517578125,
                                                152587890625,
                                                762939453125,
                                                3814697265625,
                                                19073486328125,
                                                95367431640625,
                                                476837158203125,
                                                2384185791015625,
                                                11920928955078125,
                                                59604644775390625,
                                                298023223876953125,
                                                1490116119384765625,
                                                7450580596923828125};

/*
** 'm' times ten to the power of 'exp', from -FIVES to FIVES: 64 bits of the
** result, the last of which says whether more would follow. The conversion to
** a double rounds them, once.
*/
static double scale(uint64_t m, int exp) {
  uint64_t five = FIVE_TO_THE[exp < 0 ? -exp : exp], bits;
  wide w, rest;
  int left, right;
  left = __builtin_clzll(m);
  if (exp < 0) {
    /* both with their highest bit set: the quotient has 63 or 64 bits */
    right = __builtin_clzll(five);
    w = (wide)(m << left) << 63;
    five <<= right;
    bits = (uint64_t)(w / five);
    rest = w % five;
    exp += right - left - 63;
  }
  else {
    w = (wide)(m << left) * five;
    right = (uint64_t)(w >> 64) == 0
                ? 0
                : 64 - __builtin_clzll((uint64_t)(w >> 64));
    bits = (uint64_t)(w >> right);
    rest = w & (((wide)1 << right) - 1);
    exp += right - left;
  }
  return ldexp((double)(bits | (rest != 0)), exp);
}

static int can_scale(size_t digits, int64_t exp) {
  return digits <= OFOX_DECIMAL_DIGITS && exp >= -FIVES && exp <= FIVES;
}

#else

static double scale(uint64_t m, int exp) {
  (void)exp;
  return (double)m;
}

static int can_scale(size_t digits, int64_t exp) {
  (void)digits;
  (void)exp;
  return 0;
}

#endif

double ofox_decimal_value(uint64_t m, size_t digits, int64_t exp,
                          const char *p, const char *e) {
  return can_scale(digits, exp) ? scale(m, (int)exp) : read_slowly(p, e);
}
