#include "base/json_string.h"

#include <stdint.h>
#include <string.h>

#include "base/json_escape.h"
#include "base/utf8.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/*
** The top bit of each byte of 'w' that is a quote, a backslash, a NUL or
** beyond ASCII. The lowest is never wrong.
*/
static inline uint64_t specials(uint64_t w) {
  uint64_t quote = (w ^ EACH('"')) - EACH(1);
  uint64_t backslash = (w ^ EACH('\\')) - EACH(1);
  return (w | quote | backslash | (w - EACH(1))) & EACH(0x80);
}

static inline int is_special(unsigned char c) {
  return c == '"' || c == '\\' || c == '\0' || c >= 0x80;
}

/* The first of these at or after 'p'. */
static inline const char *to_special(const char *p, const char *e) {
  uint64_t w = 0;
  for (; (size_t)(e - p) >= sizeof(w); p += sizeof(w)) {
    memcpy(&w, p, sizeof(w));
    w = specials(w);
    if (w == 0)
      continue;
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return p + (__builtin_ctzll(w) >> 3);
#else
    break;
#endif
  }
  while (p < e && !is_special((unsigned char)*p))
    p++;
  return p;
}

/* Past the escape at 'p', or NULL. */
static const char *read_escape(const char *p, const char *e, unsigned *found) {
  struct ofox_span s;
  unsigned long cp;
  size_t n;
  s.p = p;
  s.n = (size_t)(e - p);
  if (ofox_json_escape(s, &n, &cp) != 1)
    return NULL;
  *found |= OFOX_STRING_ESCAPES;
  if (cp >= 0xD800 && cp <= 0xDFFF)
    *found |= OFOX_STRING_LONE;
  return p + n;
}

/* From a special byte or the end on. */
static const char *read_on(const char *p, const char *e, unsigned *found) {
  const char *good;
  for (;; p = to_special(p, e)) {
    if (p == e || *p == '\0')
      return NULL;
    if (*p == '"')
      return p;
    if (*p == '\\') {
      p = read_escape(p, e, found);
      if (p == NULL)
        return NULL;
      continue;
    }
    good = ofox_utf8_skip(p, e);
    if (good == p) {
      *found |= OFOX_STRING_BAD;
      good++;
    }
    p = good;
  }
}

const char *ofox_json_read_string(const char *p, const char *e,
                                  unsigned *found) {
  *found = 0;
  p = to_special(p, e);
  return p < e && *p == '"' ? p : read_on(p, e, found);
}

void ofox_json_put_half(char to[3], unsigned long cp) {
  to[0] = '\xED';
  to[1] = (char)(0x80 | ((cp >> 6) & 0x3F));
  to[2] = (char)(0x80 | (cp & 0x3F));
}

static char *put_point(char *to, unsigned long cp, int halves) {
  if (!halves || cp < 0xD800 || cp > 0xDFFF)
    return to + ofox_utf8_bytes(to, cp);
  ofox_json_put_half(to, cp);
  return to + 3;
}

/* Copies the bytes beyond ASCII that '*p' starts with. */
static char *put_bytes(char *to, const char **p, const char *e, int halves) {
  const char *from = *p;
  size_t n;
  while (*p < e && (unsigned char)**p >= 0x80 && halves)
    ++*p;
  if (!halves)
    *p = ofox_utf8_skip(from, e);
  n = (size_t)(*p - from);
  memcpy(to, from, n);
  if (n > 0)
    return to + n;
  *p += ofox_utf8_broken(*p, e);
  return to + ofox_utf8_bytes(to, OFOX_REPLACEMENT);
}

/* The room allows for eight bytes more than there are. */
static inline char *put_plain(char *to, const char **p, const char *e) {
  uint64_t w;
  while ((size_t)(e - *p) >= sizeof(w)) {
    memcpy(&w, *p, sizeof(w));
    memcpy(to, &w, sizeof(w));
    if (specials(w) != 0)
      break;
    *p += sizeof(w);
    to += sizeof(w);
  }
  while (*p < e && !is_special((unsigned char)**p))
    *to++ = *(*p)++;
  return to;
}

size_t ofox_json_unescape(char *to, struct ofox_span text, int halves) {
  const char *p = text.p, *e = text.p + text.n;
  char *start = to;
  struct ofox_span rest;
  unsigned long cp;
  size_t n;
  for (;;) {
    to = put_plain(to, &p, e);
    if (p == e)
      return (size_t)(to - start);
    if (*p != '\\') {
      to = put_bytes(to, &p, e, halves);
      continue;
    }
    rest.p = p;
    rest.n = (size_t)(e - p);
    ofox_json_escape(rest, &n, &cp);
    to = put_point(to, cp, halves);
    p += n;
  }
}
