#include "lua/lnumber.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define EXACT 9007199254740992.0 /* 2^53: integral doubles up to here */

/* The decimal digits of 'v', at the end of 'digits'; returns their number. */
static size_t digits_of(char digits[20], uint64_t v) {
  size_t n = 0;
  do {
    digits[20 - ++n] = (char)('0' + (int)(v % 10));
    v /= 10;
  } while (v > 0);
  return n;
}

static int put_integer(struct ofox_buf *out, int minus, uint64_t v) {
  char digits[20];
  size_t n = digits_of(digits, v);
  int rc = minus ? ofox_buf_addc(out, '-') : 0;
  return rc != 0 ? rc : ofox_buf_add(out, digits + 20 - n, n);
}

/* 'v' / 10^'places', the places after a point or as an exponent. */
static int put_decimal(struct ofox_buf *out, int minus, uint64_t v,
                       int places) {
  static const char zeros[] = "0.0000000";
  char digits[20];
  size_t n = digits_of(digits, v), after = (size_t)places;
  const char *d = digits + 20 - n;
  int rc = minus ? ofox_buf_addc(out, '-') : 0;
  if (rc == 0 && n > after) {
    rc = ofox_buf_add(out, d, n - after);
    if (rc == 0)
      rc = ofox_buf_addc(out, '.');
    return rc != 0 ? rc : ofox_buf_add(out, d + n - after, after);
  }
  if (rc == 0 && after - n <= sizeof(zeros) - 3)
    rc = ofox_buf_add(out, zeros, after - n + 2);
  if (rc == 0)
    rc = ofox_buf_add(out, d, n);
  if (rc != 0 || after - n <= sizeof(zeros) - 3)
    return rc;
  rc = ofox_buf_adds(out, "e-");
  return rc != 0 ? rc : ofox_buf_addint(out, places);
}

/*
** Any finite double, with the first of 15, 16 and 17 digits that reads back as
** the same value. Lua does the reading, in the same locale. [-0, +0, e]
*/
static int put_float(lua_State *L, struct ofox_buf *out, double d) {
  char text[40];
  int i, n = 0, digits, same = 0, rc = 0, radix = 0;
  for (digits = 15; digits <= 17 && !same; digits++) {
    n = snprintf(text, sizeof(text), "%.*g", digits, d);
    lua_pushlstring(L, text, (size_t)n);
    same = lua_tonumber(L, -1) == (lua_Number)d;
    lua_pop(L, 1);
  }
  for (i = 0; rc == 0 && i < n; i++) {
    /* the locale's decimal point may be several bytes */
    if (strchr("0123456789+-e", text[i]) != NULL)
      rc = ofox_buf_addc(out, text[i]);
    else if (!radix++)
      rc = ofox_buf_addc(out, '.');
  }
  return rc;
}

/*
** The fewest digits that read back as 'd'. m / 10^k is rounded correctly when
** both are integers that a double can hold, so trying it is proof.
*/
static int put_double(lua_State *L, struct ofox_buf *out, double d) {
  double tens = 1, a = fabs(d), m;
  int k;
  if (!(a <= DBL_MAX))
    return OFOX_ESYNTAX;
  if (a <= EXACT && floor(a) == a)
    return put_integer(out, d < 0, (uint64_t)a);
  for (k = 1; k <= 22 && FLT_EVAL_METHOD == 0; k++) {
    tens *= 10;
    m = floor(a * tens + 0.5);
    if (m > EXACT)
      break;
    if (m / tens == a)
      return put_decimal(out, d < 0, (uint64_t)m, k);
  }
  return put_float(L, out, d);
}

int ofox_putnumber(lua_State *L, struct ofox_buf *out, int idx) {
  lua_Integer i;
  if (!ofox_isinteger(L, idx))
    return put_double(L, out, (double)lua_tonumber(L, idx));
  i = lua_tointeger(L, idx);
  return put_integer(out, i < 0, i < 0 ? 0 - (uint64_t)i : (uint64_t)i);
}
