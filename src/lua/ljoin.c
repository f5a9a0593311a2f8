/*
** Strings that arrived in pieces: halves of a surrogate pair, which the
** decoder has left in them as three bytes each, and the remains of characters
** that were cut between their bytes.
*/
#include "lua/ljoin.h"

#include <string.h>

#include "base/utf8.h"
#include "lua/lbuffer.h"
#include "lua/lofox.h"

/* The half that 's' starts with, or 0. */
static unsigned long half_at(struct ofox_span s) {
  const unsigned char *p = (const unsigned char *)s.p;
  if (s.n < 3 || p[0] != 0xED || (p[1] & 0xE0) != 0xA0 ||
      (p[2] & 0xC0) != 0x80)
    return 0;
  return 0xD000UL | (unsigned long)(p[1] & 0x3F) << 6 | (p[2] & 0x3FUL);
}

static struct ofox_span after(struct ofox_span s, size_t n) {
  s.p += n;
  s.n -= n;
  return s;
}

/* The first half in 's' or its end. No character has its first byte inside. */
static size_t find_half(struct ofox_span s) {
  size_t i = 0;
  const char *hit;
  while (i < s.n && (hit = memchr(s.p + i, 0xED, s.n - i)) != NULL) {
    i = (size_t)(hit - s.p);
    if (half_at(after(s, i)) != 0)
      return i;
    i++;
  }
  return s.n;
}

/* Adds the half that 's' starts with, or the pair; returns their length. */
static size_t put_halves(struct ofox_buf *out, struct ofox_span s, int *rc) {
  unsigned long high = half_at(s), low = half_at(after(s, 3));
  if (high < 0xDC00 && low >= 0xDC00) {
    *rc = ofox_utf8_put(out, 0x10000UL + ((high - 0xD800UL) << 10) +
                                 (low - 0xDC00UL));
    return 6;
  }
  *rc = ofox_utf8_put(out, OFOX_REPLACEMENT);
  return 3;
}

int ofox_join(lua_State *L) {
  struct ofox_span s = ofox_checkspan(L, 1), run;
  struct ofox_buf *out;
  int rc = 0;
  lua_settop(L, 1);
  if (ofox_utf8_valid(s) == s.n)
    return 1;
  out = ofox_newbuffer(L);
  while (rc == 0 && s.n > 0) {
    run.p = s.p;
    run.n = find_half(s);
    rc = ofox_utf8_clean(out, run);
    s = after(s, run.n);
    if (rc == 0 && s.n > 0)
      s = after(s, put_halves(out, s, &rc));
  }
  ofox_checkmemory(L, rc);
  lua_pushlstring(L, out->p, out->n);
  return 1;
}
