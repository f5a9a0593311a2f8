#include "base/json_number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DIGITS 19 /* as many fit 64 bits, whatever they are */
#define EXACT                                                                 \
  (UINT64_C(1) << 53) /* a double holds each integer up to here               \
                       */
/* Digits that can decide between two doubles (767), and then some. */
#define DECIDING 800

/* What has been read: 'm' times ten to the power of 'exp'. */
struct decimal {
  uint64_t m;
  int64_t exp;
  size_t digits; /* from the first that is not 0; 'm' has DIGITS at most */
};

static int is_digit(char c) {
  return (unsigned char)(c - '0') <= 9;
}

/* Digits into 'm'; what does not fit is lost. */
static inline const char *read_digits(const char *p, const char *e,
                                      uint64_t *m) {
  unsigned char c;
  for (; p < e && (c = (unsigned char)(*p - '0')) <= 9; p++)
    *m = *m * 10 + c;
  return p;
}

/* Past the exponent whose letter is at 'p', or NULL. Far beyond any double
** it stands still. */
static const char *read_exponent(const char *p, const char *e, int64_t *exp) {
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

/* From the point on. */
static const char *read_fraction(const char *p, const char *e,
                                 struct decimal *n) {
  const char *point = p++, *first = p;
  if (n->digits == 0) {
    while (p < e && *p == '0')
      p++;
    first = p;
  }
  p = read_digits(p, e, &n->m);
  n->digits += (size_t)(p - first);
  n->exp = -(int64_t)(p - point - 1);
  return p > point + 1 ? p : NULL;
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
    read_exponent(p, e, &exp);
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

static int can_scale(const struct decimal *n) {
  return n->digits <= DIGITS && n->exp >= -FIVES && n->exp <= FIVES;
}

#else

static double scale(uint64_t m, int exp) {
  (void)exp;
  return (double)m;
}

static int can_scale(const struct decimal *n) {
  (void)n;
  return 0;
}

#endif

/* The double that 'n' is, which 'text' says. */
static double value_of(const struct decimal *n, const char *p, const char *e) {
  static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (n->digits == 0)
    return 0;
  /* two numbers without an error, one rounding */
  if (n->digits <= DIGITS && n->m <= EXACT && n->exp >= -22 && n->exp <= 22 &&
      FLT_EVAL_METHOD == 0) {
    return n->exp < 0 ? (double)(int64_t)n->m / tens[-n->exp]
                      : (double)(int64_t)n->m * tens[n->exp];
  }
  return can_scale(n) ? scale(n->m, (int)n->exp) : read_slowly(p, e);
}

const char *ofox_json_read_number(const char *p, const char *e,
                                  struct ofox_json_number *out) {
  struct decimal n = {0, 0, 0};
  const char *first;
  int minus = p < e && *p == '-', whole = 1;
  first = p += minus;
  if (p < e && *p == '0')
    p++;
  else {
    p = read_digits(p, e, &n.m);
    if (p == first)
      return NULL;
    n.digits = (size_t)(p - first);
  }
  if (p < e && *p == '.') {
    whole = 0;
    p = read_fraction(p, e, &n);
  }
  if (p != NULL && p < e && (*p == 'e' || *p == 'E')) {
    whole = 0;
    p = read_exponent(p, e, &n.exp);
  }
  if (p == NULL)
    return NULL;
  out->whole = whole && n.digits <= DIGITS &&
               n.m <= (uint64_t)INT64_MAX + (uint64_t)minus;
  if (out->whole) {
    out->i = (int64_t)(minus ? 0 - n.m : n.m);
    out->d = (double)n.m;
  }
  else
    out->d = value_of(&n, first, p);
  if (minus)
    out->d = -out->d;
  return p;
}
