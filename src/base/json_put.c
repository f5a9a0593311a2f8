#include "base/json_put.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

/* Bytes from 'p' that stand for themselves in a string. */
static size_t plain_run(const unsigned char *p, size_t n) {
  const uint64_t ones = UINT64_MAX / 255, highs = ones * 0x80;
  uint64_t w, quote, slash;
  size_t i = 0;
  for (; n - i >= sizeof(w); i += sizeof(w)) {
    memcpy(&w, p + i, sizeof(w));
    quote = w ^ ones * '"';
    slash = w ^ ones * '\\';
    if ((w | (w - ones * ' ') | (quote - ones) | (slash - ones)) & highs)
      break;
  }
  while (i < n && p[i] >= ' ' && p[i] < 0x80 && p[i] != '"' && p[i] != '\\')
    i++;
  return i;
}

static int put_escape(struct ofox_buf *out, unsigned char c) {
  static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
  static const char hex[] = "0123456789abcdef";
  const char *hit = memchr(from, c, sizeof(from) - 1);
  char e[6] = "\\u00";
  if (hit != NULL) {
    e[1] = to[hit - from];
    return ofox_buf_add(out, e, 2);
  }
  e[4] = hex[c >> 4];
  e[5] = hex[c & 15];
  return ofox_buf_add(out, e, 6);
}

/* Adds what does not stand for itself from its start on. */
static int put_odd(struct ofox_buf *out, const unsigned char *p, size_t n) {
  struct ofox_span run;
  size_t plain;
  int rc = 0;
  while (rc == 0 && n > 0) {
    plain = plain_run(p, n);
    run.p = (const char *)p;
    for (run.n = plain; run.n < n && p[run.n] >= 0x80;)
      run.n++;
    if (run.n == 0) {
      rc = put_escape(out, *p);
      p++;
      n--;
      continue;
    }
    if (run.n > plain && ofox_utf8_valid(run) != run.n)
      return OFOX_ESYNTAX;
    rc = ofox_buf_addspan(out, run);
    p += run.n;
    n -= run.n;
  }
  return rc;
}

int ofox_json_put_string(struct ofox_buf *out, struct ofox_span s) {
  const unsigned char *p = (const unsigned char *)s.p;
  size_t plain;
  int rc = ofox_buf_reserve(out, s.n + 3);
  if (rc != 0)
    return rc;
  plain = plain_run(p, s.n);
  out->p[out->n++] = '"';
  memcpy(out->p + out->n, s.p, plain);
  out->n += plain;
  if (plain < s.n)
    rc = put_odd(out, p + plain, s.n - plain);
  return rc != 0 ? rc : ofox_buf_addc(out, '"');
}
