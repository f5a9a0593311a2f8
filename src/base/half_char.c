#include "base/half_char.h"

#include <string.h>

#include "base/utf8.h"

/* Bytes of the character that starts with 'c', or 0: none does. */
static size_t length(char c) {
  unsigned char u = (unsigned char)c;
  if (u < 0xC2 || u > 0xF4)
    return u < 0x80;
  return u < 0xE0 ? 2 : u < 0xF0 ? 3 : 4;
}

/* Could these bytes be the beginning of a character, or one? */
static int is_begun(const char *p, size_t n) {
  char all[4];
  struct ofox_span s;
  s.n = length(*p);
  if (n < 2 || n > s.n)
    return n == 1 && s.n > 0;
  /* behind the second byte any continuation will do */
  memset(all, 0x80, sizeof(all));
  memcpy(all, p, n);
  s.p = all;
  return ofox_utf8_valid(s) == s.n;
}

/* How many bytes at the end of 's' are a character that lacks some. */
static size_t open_end(struct ofox_span s) {
  size_t n;
  for (n = 1; n <= 3 && n <= s.n; n++) {
    const char *p = s.p + s.n - n;
    if (((unsigned char)*p & 0xC0) != 0x80)
      return length(*p) > n && is_begun(p, n) ? n : 0;
  }
  return 0;
}

int ofox_half_char_end(struct ofox_half_char *h, struct ofox_buf *out) {
  int rc = 0;
  if (h->n > 0 || h->high != 0)
    rc = ofox_utf8_put(out, OFOX_REPLACEMENT);
  h->n = 0;
  h->high = 0;
  return rc;
}

/* Takes the bytes off 's' that continue the character begun earlier. */
static int complete(struct ofox_half_char *h, struct ofox_buf *out,
                    struct ofox_span *s) {
  int rc;
  while (s->n > 0) {
    h->bytes[h->n] = *s->p;
    if (!is_begun(h->bytes, h->n + 1))
      return ofox_half_char_end(h, out);
    h->n++;
    s->p++;
    s->n--;
    if (h->n == length(h->bytes[0])) {
      rc = ofox_buf_add(out, h->bytes, h->n);
      h->n = 0;
      return rc;
    }
  }
  return 0;
}

int ofox_half_char_bytes(struct ofox_half_char *h, struct ofox_buf *out,
                         struct ofox_span s) {
  size_t n;
  int rc = 0;
  if (s.n == 0)
    return 0;
  if (h->high != 0)
    rc = ofox_half_char_end(h, out);
  else if (h->n > 0)
    rc = complete(h, out, &s);
  if (rc != 0 || s.n == 0)
    return rc;
  n = (unsigned char)s.p[s.n - 1] < 0x80 ? 0 : open_end(s);
  s.n -= n;
  rc = ofox_utf8_clean(out, s);
  if (n > 0)
    memcpy(h->bytes, s.p + s.n, n);
  h->n = n;
  return rc;
}

int ofox_half_char_point(struct ofox_half_char *h, struct ofox_buf *out,
                         unsigned long cp) {
  int rc;
  if (h->high != 0 && cp >= 0xDC00 && cp <= 0xDFFF) {
    cp = 0x10000UL + ((h->high - 0xD800UL) << 10) + (cp - 0xDC00UL);
    h->high = 0;
  }
  rc = ofox_half_char_end(h, out);
  if (cp < 0xD800 || cp > 0xDBFF)
    return rc == 0 ? ofox_utf8_put(out, cp) : rc;
  h->high = cp;
  return rc;
}
