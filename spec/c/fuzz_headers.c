/*
** Fuzz target: any bytes as the headers of an answer and as times. Whatever
** they are, what comes out is finite, never negative where it is a wait, and
** does not depend on line ends.
*/
#include "../../src/wire/headers.h"
#include "../../src/base/times.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1700000000.0
#define MUST(x)                                                               \
  do {                                                                        \
    if (!(x))                                                                 \
      abort();                                                                \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_times(struct ofox_span s) {
  double v, again;
  if (ofox_times_seconds(s, &v)) {
    MUST(isfinite(v) && v >= 0);
    MUST(ofox_times_retry_after(s, NOW, &again) && again == v);
    MUST(!ofox_times_duration(s, &again) && !ofox_times_date(s, &again));
  }
  if (ofox_times_duration(s, &v)) {
    MUST(isfinite(v) && v >= 0);
    MUST(ofox_times_reset(s, NOW, &again) && again == v);
    MUST(!ofox_times_date(s, &again));
  }
  if (ofox_times_date(s, &v)) {
    MUST(v >= -62135683200.0 && v < 253402387200.0); /* years 1 to 9999 */
    MUST(ofox_times_retry_after(s, NOW, &again));
    MUST(again == (v > NOW ? v - NOW : 0));
  }
  if (ofox_times_reset(s, NOW, &v))
    MUST(isfinite(v) && v >= 0);
}

static void check_spans(const struct ofox_headers *h) {
  struct ofox_span name, value;
  size_t j, pos = 0;
  while (ofox_headers_next(h, &pos, &name, &value)) {
    MUST(name.n > 0);
    for (j = 0; j < name.n; j++)
      MUST(ofox_tolower((unsigned char)name.p[j]) == name.p[j]);
    MUST(ofox_span_trim(value).n == value.n);
    for (j = 0; j < value.n; j++)
      MUST(value.p[j] != '\n' && value.p[j] != '\r' && value.p[j] != '\0');
    check_times(value);
  }
}

static void check_meaning(const struct ofox_headers *h) {
  struct ofox_ratelimit r;
  double delay;
  enum ofox_source source = ofox_headers_delay(h, NOW, &delay);
  MUST(ofox_source_name(source) != NULL);
  if (source == OFOX_SOURCE_NONE)
    MUST(isnan(delay));
  else
    MUST(isfinite(delay) && delay >= 0);
  ofox_headers_ratelimit(h, NOW, &r);
  MUST(isnan(r.reset_requests) || r.reset_requests >= 0);
  MUST(isnan(r.reset_tokens) || r.reset_tokens >= 0);
  MUST(!h->complete || (h->status >= 200 && h->status <= 999));
  (void)ofox_headers_request_id(h);
  (void)ofox_headers_should_retry(ofox_headers_get(h, "x-should-retry"));
}

/* Feeds a copy of each line that has nothing behind it: overreads show. */
static void feed(struct ofox_headers *h, const char *p, size_t n) {
  char *copy = malloc(n + 1);
  int rc;
  MUST(copy != NULL);
  memcpy(copy, p, n);
  copy = realloc(copy, n > 0 ? n : 1);
  MUST(copy != NULL);
  rc = ofox_headers_line(h, copy, n);
  MUST(rc == 0 || rc == OFOX_ECAP || (rc == 1 && h->complete));
  free(copy);
}

static void must_be_same(struct ofox_span a, struct ofox_span b) {
  MUST(a.n == b.n && memcmp(a.p, b.p, a.n) == 0);
}

static void compare(const struct ofox_headers *a,
                    const struct ofox_headers *b) {
  struct ofox_span an, av, bn, bv;
  size_t i = 0, j = 0;
  MUST(a->status == b->status && a->complete == b->complete);
  while (ofox_headers_next(a, &i, &an, &av)) {
    MUST(ofox_headers_next(b, &j, &bn, &bv));
    must_be_same(an, bn);
    must_be_same(av, bv);
  }
  MUST(!ofox_headers_next(b, &j, &bn, &bv));
}

/* What one finds by the name in any case, the other finds in its list. */
static void check_get(const struct ofox_headers *raw,
                      const struct ofox_headers *read, const char *name) {
  struct ofox_span n, listed, found;
  size_t i = 0, j = 0;
  while (ofox_headers_next(read, &i, &n, &listed)) {
    if (!ofox_span_eq(n, name))
      continue;
    MUST(ofox_headers_each(raw, name, &j, &found));
    must_be_same(found, listed);
  }
  MUST(!ofox_headers_each(raw, name, &j, &found));
}

static void feed_all(struct ofox_headers *ends, struct ofox_headers *bare,
                     const char *p, const char *end) {
  struct ofox_span line;
  const char *next;
  for (; p < end; p = next) {
    next = memchr(p, '\n', (size_t)(end - p));
    next = next == NULL ? end : next + 1;
    line.p = p;
    line.n = (size_t)(next - p);
    check_times(line);
    feed(ends, line.p, line.n);
    if (line.n > 0 && line.p[line.n - 1] == '\n')
      line.n--;
    if (line.n > 0 && line.p[line.n - 1] == '\r')
      line.n--;
    if (line.n > 0 && line.p[line.n - 1] == '\r')
      line.n = (size_t)(next - p); /* "\r\r\n" has but one line end */
    feed(bare, line.p, line.n);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *p = (const char *)data;
  static const char *const names[] = {"a", "date", "retry-after",
                                      "content-type", "x-request-id"};
  struct ofox_headers ends, bare;
  struct ofox_span name, value;
  size_t i, n = size, pos = 0;
  if (n > OFOX_HEADERS_CAP / 2) /* line ends count, so the two would differ */
    n = OFOX_HEADERS_CAP / 2;
  ofox_headers_init(&ends);
  ofox_headers_init(&bare);
  feed_all(&ends, &bare, p, p + n);
  compare(&ends, &bare);
  ofox_headers_clear(&bare);
  MUST(bare.status == 0 && !ofox_headers_next(&bare, &pos, &name, &value));
  ofox_headers_free(&ends); /* cleared or freed: as good as new */
  feed_all(&ends, &bare, p, p + n);
  check_spans(&ends);
  for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    check_get(&bare, &ends, names[i]);
  compare(&ends, &bare);
  check_meaning(&ends);
  ofox_headers_free(&ends);
  ofox_headers_free(&bare);
  return 0;
}
