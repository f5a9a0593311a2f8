/*
** A fuzzer of redaction: no text keeps a secret in it, wherever it stood and
** whatever surrounds it, and none grows.
*/
#include "../../src/wire/redact.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                       \
  do {                                                                        \
    if (!(condition))                                                         \
      abort();                                                                \
  } while (0)

static int holds(struct ofox_span text, struct ofox_span part) {
  size_t i;
  for (i = 0; i + part.n <= text.n; i++) {
    if (memcmp(text.p + i, part.p, part.n) == 0)
      return 1;
  }
  return 0;
}

/* Bytes that escapes are made of come often. */
static char letter(uint8_t byte) {
  static const char letters[] = "\\u0041%+\"/abn5c";
  return byte < 160 ? letters[byte % (sizeof(letters) - 1)] : (char)byte;
}

/* Adds a text as it stands in a URL that spares no byte. */
static void add_in_url(struct ofox_buf *out, struct ofox_span s) {
  static const char digits[] = "0123456789ABCDEF";
  size_t i;
  for (i = 0; i < s.n; i++) {
    MUST(ofox_buf_addc(out, '%') == 0);
    MUST(ofox_buf_addc(out, digits[(unsigned char)s.p[i] >> 4]) == 0);
    MUST(ofox_buf_addc(out, digits[(unsigned char)s.p[i] & 15]) == 0);
  }
}

/* Bytes that are not the secret's keep their places. */
static void must_cover(struct ofox_redact *r, struct ofox_span text,
                       struct ofox_span secret) {
  struct ofox_buf covered;
  size_t i;
  ofox_buf_init(&covered, (size_t)-1);
  MUST(ofox_buf_addspan(&covered, text) == 0);
  MUST(ofox_redact_cover(r, &covered) == 0 && covered.n == text.n);
  for (i = 0; i < text.n; i++)
    MUST(covered.p[i] == text.p[i] || covered.p[i] == '*');
  MUST(!holds(ofox_buf_span(&covered), secret) ||
       holds(secret, (struct ofox_span){"*", 1}));
  ofox_buf_free(&covered);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct ofox_redact r;
  struct ofox_buf text;
  struct ofox_span secret;
  char *copy;
  size_t i, n, at, before;
  if (size < 12)
    return 0;
  n = OFOX_SECRET_MIN + data[0] % 40;
  if (n > size - 2)
    n = size - 2;
  at = data[1] % (size - 1 - n + 1);
  copy = malloc(size);
  MUST(copy != NULL);
  for (i = 0; i < size; i++)
    copy[i] = letter(data[i]);
  secret.p = copy + 2;
  secret.n = n;
  ofox_redact_init(&r);
  MUST(ofox_redact_secret(&r, secret) == 0);
  ofox_buf_init(&text, (size_t)-1);
  MUST(ofox_buf_add(&text, copy + 2 + n, size - 2 - n) == 0);
  before = text.n;
  MUST(ofox_redact_apply(&r, &text) == 0 && text.n <= before);
  text.n = 0;
  if (at > size - 2 - n)
    at = size - 2 - n;
  MUST(ofox_buf_add(&text, copy + 2 + n, at) == 0);
  MUST(ofox_buf_addspan(&text, secret) == 0);
  MUST(ofox_buf_add(&text, copy + 2 + n + at, size - 2 - n - at) == 0);
  must_cover(&r, ofox_buf_span(&text), secret);
  before = text.n;
  MUST(ofox_redact_apply(&r, &text) == 0 && text.n < before);
  if (n >= OFOX_SECRET_MIN)
    MUST(!holds(ofox_buf_span(&text), secret) ||
         holds(secret, (struct ofox_span){"*", 1}));
  text.n = 0;
  MUST(ofox_buf_add(&text, copy + 2 + n, at) == 0);
  add_in_url(&text, secret);
  MUST(ofox_buf_add(&text, copy + 2 + n + at, size - 2 - n - at) == 0);
  before = text.n;
  MUST(ofox_redact_may_hold(&r, ofox_buf_span(&text)));
  MUST(ofox_redact_apply(&r, &text) == 0 && text.n < before);
  ofox_buf_free(&text);
  ofox_redact_free(&r);
  free(copy);
  return 0;
}
