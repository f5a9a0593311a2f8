#include "base/json_text.h"

#include "base/json_escape.h"
#include "base/json_number.h"
#include "base/json_scan.h"
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/*
** Past an escape, which is never refused: of a broken one the backslash alone
** is U+FFFD, a cut one is U+FFFD whole. Returns its length.
*/
static size_t escape(const char *p, const char *e, unsigned long *cp) {
  struct ofox_span s;
  size_t n;
  int rc;
  s.p = p;
  s.n = (size_t)(e - p);
  rc = ofox_json_escape(s, &n, cp);
  if (rc == 1)
    return n;
  *cp = OFOX_REPLACEMENT;
  return rc == 0 ? s.n : 1;
}

#define EACH(byte) (0x0101010101010101U * (byte))

/* ASCII without escapes: most pieces are that. */
static int is_simple(const char *p, size_t n) {
  uint64_t w, x;
  for (; n >= sizeof(w); p += sizeof(w), n -= sizeof(w)) {
    memcpy(&w, p, sizeof(w));
    x = w ^ EACH('\\');
    /* a top bit, or a byte of 'x' that is zero */
    if (((w | ((x - EACH(1)) & ~x)) & EACH(0x80)) != 0)
      return 0;
  }
  for (; n > 0; p++, n--) {
    if ((unsigned char)*p >= 0x80 || *p == '\\')
      return 0;
  }
  return 1;
}

int ofox_json_piece(struct ofox_json v, struct ofox_half_char *h,
                    struct ofox_buf *out) {
  const char *p, *e;
  struct ofox_span run;
  unsigned long cp;
  int rc = 0;
  if (v.type != OFOX_JSON_STRING)
    return 0;
  p = v.raw.p + 1;
  e = v.raw.p + v.raw.n;
  if (h->n == 0 && h->high == 0 && e - p > 1 && e[-1] == '"' &&
      is_simple(p, v.raw.n - 2))
    return ofox_buf_add(out, p, v.raw.n - 2);
  while (rc == 0 && p < e && *p != '"') {
    run.p = p;
    p = ofox_json_scan_plain(p, e);
    run.n = (size_t)(p - run.p);
    rc = ofox_half_char_bytes(h, out, run);
    if (rc == 0 && p < e && *p == '\\') {
      p += escape(p, e, &cp);
      rc = ofox_half_char_point(h, out, cp);
    }
  }
  return rc;
}

int ofox_json_text(struct ofox_json v, struct ofox_buf *out) {
  struct ofox_half_char h;
  int rc;
  memset(&h, 0, sizeof(h));
  rc = ofox_json_piece(v, &h, out);
  return rc == 0 ? ofox_half_char_end(&h, out) : rc;
}

int ofox_json_is(struct ofox_json v, const char *text) {
  const char *p, *e;
  char utf8[4];
  struct ofox_buf one; /* over 'utf8', which is all it can need: no malloc */
  unsigned long cp;
  if (v.type != OFOX_JSON_STRING)
    return 0;
  p = v.raw.p + 1;
  e = v.raw.p + v.raw.n;
  one.p = utf8;
  one.cap = one._size = sizeof(utf8);
  while (p < e && *p != '"') {
    one.n = 0;
    utf8[0] = *p;
    if (*p != '\\') {
      one.n = 1;
      p++;
    }
    else {
      p += escape(p, e, &cp);
      if (ofox_utf8_put(&one, cp) != 0)
        return 0;
    }
    if (utf8[0] == '\0' || strncmp(text, utf8, one.n) != 0)
      return 0;
    text += one.n;
  }
  return p < e && *text == '\0';
}

int ofox_json_number(struct ofox_json v, double *out) {
  struct ofox_json_number n;
  if (v.type != OFOX_JSON_NUMBER ||
      ofox_json_read_number(v.raw.p, v.raw.p + v.raw.n, &n) == NULL)
    return 0;
  *out = n.d;
  return 1;
}
