#include "wire/headers.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/times.h"

/* The header names of a request id, in order of preference. */
static const char *const request_ids[] = {
    "x-request-id",     "request-id", "apim-request-id",
    "x-amzn-requestid", "cf-ray",     NULL};

const char *ofox_source_name(enum ofox_source s) {
  static const char *const names[] = {
#define X(id, name) name,
      OFOX_SOURCES(X)
#undef X
  };
  return names[s];
}

/* Lines: kept as they came, each behind its length, and read when asked */

/* A line's length and a colon: what the text of a header is kept with. */
#define AROUND (sizeof(uint32_t) + 1)

#define FIRST_ROOM 512 /* most heads fit into that or twice as much */

enum { CLOSED, OPEN, NOT_KNOWN }; /* can the last line be continued? */

void ofox_headers_init(struct ofox_headers *h) {
  memset(h, 0, sizeof(*h));
  ofox_buf_init(&h->_text, (size_t)-1);
}

void ofox_headers_free(struct ofox_headers *h) {
  ofox_headers_clear(h);
  ofox_buf_free(&h->_text);
}

/* What an answer said is forgotten, but not how much was read. */
static void restart(struct ofox_headers *h) {
  h->status = h->complete = h->version = 0;
  h->_open = CLOSED;
  h->lines = 0;
  ofox_buf_clear(&h->_text);
}

void ofox_headers_clear(struct ofox_headers *h) {
  restart(h);
  h->_seen = 0;
  h->_error = 0;
}

static int is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Such a byte in a value counts as a blank (RFC 9110, 5.5). */
static int is_bad(char c) {
  return (unsigned char)c <= '\r' && (c == '\r' || c == '\n' || c == '\0');
}

/* A character of a name in lower case; no other has any: NUL. */
static char name_char(char c) {
  static const char chars[] = "\0!\0#$%&'\0\0*+\0-.\0"
                              "0123456789\0\0\0\0\0\0"
                              "\0abcdefghijklmno"
                              "pqrstuvwxyz\0\0\0^_"
                              "`abcdefghijklmno"
                              "pqrstuvwxyz\0|\0~";
  unsigned i = (unsigned char)c - 32U;
  return i < sizeof(chars) ? chars[i] : '\0';
}

static int is_name(struct ofox_span s) {
  size_t i;
  for (i = 0; i < s.n; i++) {
    if (name_char(s.p[i]) == '\0')
      return 0;
  }
  return s.n > 0;
}

/* Walks the lines: start with '*pos' = 0. */
static int next_line(const struct ofox_headers *h, size_t *pos,
                     struct ofox_span *line) {
  uint32_t n;
  if (*pos >= h->_text.n)
    return 0;
  memcpy(&n, h->_text.p + *pos, sizeof(n));
  line->p = h->_text.p + *pos + sizeof(n);
  line->n = n;
  *pos += sizeof(n) + n;
  return 1;
}

/* Adds a line, with 'more' bytes of room behind it. */
static int add_line(struct ofox_headers *h, struct ofox_span s, size_t more) {
  struct ofox_buf *b = &h->_text;
  uint32_t n = (uint32_t)s.n;
  size_t size = sizeof(n) + s.n;
  int rc = b->n == 0 ? ofox_buf_reserve(b, FIRST_ROOM) : 0;
  if (rc == 0)
    rc = ofox_buf_reserve(b, size + more);
  if (rc != 0)
    return rc;
  memcpy(b->p + b->n, &n, sizeof(n));
  memcpy(b->p + b->n + sizeof(n), s.p, s.n);
  h->_last = b->n;
  h->lines++;
  b->n += size;
  return 0;
}

/* Adds to the last line, which has room for it. */
static void add_to_last(struct ofox_headers *h, char c, struct ofox_span s) {
  struct ofox_buf *b = &h->_text;
  uint32_t n;
  b->p[b->n++] = c;
  ofox_buf_addspan(b, s);
  n = (uint32_t)(b->n - h->_last - sizeof(n));
  memcpy(b->p + h->_last, &n, sizeof(n));
}

int ofox_headers_add(struct ofox_headers *h, struct ofox_span name,
                     struct ofox_span value) {
  int rc;
  h->_open = CLOSED;
  if (!is_name(name))
    return 0;
  value = ofox_span_trim(value);
  if (name.n + value.n > OFOX_HEADERS_CAP - (h->_text.n - h->lines * AROUND))
    return OFOX_ECAP;
  rc = add_line(h, name, 1 + value.n);
  if (rc != 0)
    return rc;
  add_to_last(h, ':', value);
  h->_open = OPEN;
  return 0;
}

/* "HTTP/1.1 200 OK": 1 and the numbers, or 0. */
static int status_line(struct ofox_span s, int *version, int *status) {
  size_t i;
  if ((s.p[0] | 0x20) != 'h' || !ofox_span_ihas_prefix(s, "HTTP/") ||
      s.n < 6 || !ofox_isdigit((unsigned char)s.p[5]))
    return 0;
  *version = (s.p[5] - '0') * 10;
  i = 6;
  if (i + 1 < s.n && s.p[i] == '.' && ofox_isdigit((unsigned char)s.p[7])) {
    *version += s.p[7] - '0';
    i = 8;
  }
  if (i >= s.n || s.p[i] != ' ')
    return 0;
  while (i < s.n && s.p[i] == ' ')
    i++;
  for (*status = 0; i < s.n && ofox_isdigit((unsigned char)s.p[i]); i++) {
    *status = *status * 10 + (s.p[i] - '0');
    if (*status > 999)
      return 0;
  }
  return *status >= 100 && (i == s.n || ofox_isspace((unsigned char)s.p[i]));
}

/* A line's name without blanks around it and what is behind the colon; 0: it
** has no colon. */
static int split(struct ofox_span line, struct ofox_span *name,
                 struct ofox_span *rest) {
  const char *colon = memchr(line.p, ':', line.n);
  if (colon == NULL)
    return 0;
  name->p = line.p;
  name->n = (size_t)(colon - line.p);
  *name = ofox_span_trim(*name);
  rest->p = colon + 1;
  rest->n = (size_t)(line.p + line.n - rest->p);
  return 1;
}

/* A line that starts with a blank continues the previous value. */
static int continue_line(struct ofox_headers *h, struct ofox_span s) {
  struct ofox_buf *b = &h->_text;
  struct ofox_span line, name;
  int rc;
  s = ofox_span_trim(s);
  if (h->_open == CLOSED || s.n == 0)
    return 0;
  if (h->_open == NOT_KNOWN) {
    line.p = b->p + h->_last + sizeof(uint32_t);
    line.n = (size_t)(b->p + b->n - line.p);
    h->_open = split(line, &name, &line) && is_name(name) ? OPEN : CLOSED;
  }
  if (h->_open == CLOSED)
    return 0;
  rc = ofox_buf_reserve(b, 1 + s.n);
  if (rc != 0)
    return rc;
  while (is_blank(b->p[b->n - 1]) || is_bad(b->p[b->n - 1]))
    b->n--;
  add_to_last(h, ' ', s);
  return 0;
}

int ofox_headers_line(struct ofox_headers *h, const char *p, size_t n) {
  struct ofox_span s;
  int version, status;
  if (h->_error == 0 && n > OFOX_HEADERS_CAP - h->_seen)
    h->_error = OFOX_ECAP;
  if (h->_error != 0)
    return h->_error;
  h->_seen += n;
  if (h->complete)
    return 1;
  s.p = p;
  s.n = n;
  if (s.n > 0 && s.p[s.n - 1] == '\n')
    s.n--;
  if (s.n > 0 && s.p[s.n - 1] == '\r')
    s.n--;
  if (s.n == 0) {
    h->complete = h->status >= 200;
    return h->complete;
  }
  if (status_line(s, &version, &status)) {
    restart(h);
    h->version = version;
    h->status = status;
  }
  else if (h->status != 0) {
    if (s.p[0] == ' ' || s.p[0] == '\t') {
      h->_error = continue_line(h, s);
    }
    else {
      h->_error = add_line(h, s, 0);
      h->_open = NOT_KNOWN;
    }
  }
  return h->_error;
}

/* The value that begins at 'from' and ends with its line. What is read as a
** blank becomes one where it stands, so that the next look finds the same. */
static struct ofox_span value_at(const struct ofox_headers *h,
                                 const char *from, const char *end) {
  struct ofox_span v;
  char *p = h->_text.p + (from - h->_text.p);
  for (; p < end; p++) {
    if (is_bad(*p))
      *p = ' ';
  }
  v.p = from;
  v.n = (size_t)(end - from);
  return ofox_span_trim(v);
}

/* Lower-cases a name in place; anything else may change as well. */
static int lower_name(const struct ofox_headers *h, struct ofox_span name) {
  char *p = h->_text.p + (name.p - h->_text.p), *end = p + name.n, c;
  for (; p < end; p++) {
    c = name_char(*p);
    if (c == '\0')
      return 0;
    *p = c;
  }
  return name.n > 0;
}

int ofox_headers_next(const struct ofox_headers *h, size_t *pos,
                      struct ofox_span *name, struct ofox_span *value) {
  struct ofox_span line;
  while (next_line(h, pos, &line)) {
    if (!split(line, name, value) || !lower_name(h, *name))
      continue;
    *value = value_at(h, value->p, line.p + line.n);
    return 1;
  }
  return 0;
}

/* Where the value of a line of that name begins, or NULL: it has another. */
static const char *find_value(struct ofox_span line, const char *name,
                              size_t n) {
  const char *p = line.p, *end = line.p + line.n;
  size_t i;
  while (p < end && is_blank(*p))
    p++;
  if ((size_t)(end - p) <= n || (p[n] != ':' && !is_blank(p[n])))
    return NULL;
  for (i = 0; i < n; i++) {
    if (name_char(p[i]) != name[i])
      return NULL;
  }
  p += n;
  while (p < end && is_blank(*p))
    p++;
  return p < end && *p == ':' ? p + 1 : NULL;
}

int ofox_headers_each(const struct ofox_headers *h, const char *name,
                      size_t *pos, struct ofox_span *value) {
  size_t n = strlen(name);
  struct ofox_span line;
  const char *from;
  while (next_line(h, pos, &line)) {
    from = find_value(line, name, n);
    if (from != NULL) {
      *value = value_at(h, from, line.p + line.n);
      return 1;
    }
  }
  return 0;
}

struct ofox_span ofox_headers_get(const struct ofox_headers *h,
                                  const char *name) {
  struct ofox_span v;
  size_t pos = 0;
  return ofox_headers_each(h, name, &pos, &v) ? v : OFOX_NOSPAN;
}

struct ofox_span ofox_headers_request_id(const struct ofox_headers *h) {
  struct ofox_span v = OFOX_NOSPAN;
  size_t i;
  for (i = 0; request_ids[i] != NULL && v.n == 0; i++)
    v = ofox_headers_get(h, request_ids[i]);
  return v;
}

double ofox_headers_now(const struct ofox_headers *h, double wall) {
  double at;
  return ofox_times_date(ofox_headers_get(h, "date"), &at) ? at : wall;
}

static double number(const struct ofox_headers *h, const char *name) {
  double v;
  return ofox_times_seconds(ofox_headers_get(h, name), &v) ? v : NAN;
}

static double reset(const struct ofox_headers *h, const char *name,
                    double now) {
  double v;
  return ofox_times_reset(ofox_headers_get(h, name), now, &v) ? v : NAN;
}

/* Anthropic's names: what is counted stands before limit, remaining, reset. */

#define ANTHROPIC "anthropic-ratelimit-"

/* "anthropic-ratelimit-" 'what' "-limit" and so on. */
static double anthropic(const struct ofox_headers *h, const char *what,
                        const char *which, double now) {
  char name[64] = ANTHROPIC;
  size_t at = sizeof(ANTHROPIC) - 1, n = strlen(what);
  memcpy(name + at, what, n);
  memcpy(name + at + n, which, strlen(which) + 1);
  return isnan(now) ? number(h, name) : reset(h, name, now);
}

/* Tokens are counted in up to three ways: one that is used up decides. */
static void anthropic_tokens(const struct ofox_headers *h, double now,
                             struct ofox_ratelimit *out) {
  static const char *const kinds[] = {"tokens", "input-tokens",
                                      "output-tokens"};
  double left;
  size_t i;
  for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
    left = anthropic(h, kinds[i], "-remaining", NAN);
    if (isnan(left) || (!isnan(out->remaining_tokens) &&
                        (left > 0 || out->remaining_tokens <= 0)))
      continue;
    out->remaining_tokens = left;
    out->limit_tokens = anthropic(h, kinds[i], "-limit", NAN);
    out->reset_tokens = anthropic(h, kinds[i], "-reset", now);
  }
}

/* Does any name begin like this? Most answers have none of them. */
static int has_prefix(const struct ofox_headers *h, const char *prefix) {
  struct ofox_span line;
  size_t pos = 0;
  while (next_line(h, &pos, &line)) {
    if (ofox_span_ihas_prefix(line, prefix))
      return 1;
  }
  return 0;
}

static void read_anthropic(const struct ofox_headers *h, double now,
                           struct ofox_ratelimit *out) {
  if (!has_prefix(h, ANTHROPIC))
    return;
  out->limit_requests = anthropic(h, "requests", "-limit", NAN);
  out->remaining_requests = anthropic(h, "requests", "-remaining", NAN);
  out->reset_requests = anthropic(h, "requests", "-reset", now);
  anthropic_tokens(h, now, out);
}

void ofox_headers_ratelimit(const struct ofox_headers *h, double wall,
                            struct ofox_ratelimit *out) {
  double now = ofox_headers_now(h, wall);
  out->limit_requests = number(h, "x-ratelimit-limit-requests");
  out->remaining_requests = number(h, "x-ratelimit-remaining-requests");
  out->reset_requests = reset(h, "x-ratelimit-reset-requests", now);
  out->limit_tokens = number(h, "x-ratelimit-limit-tokens");
  out->remaining_tokens = number(h, "x-ratelimit-remaining-tokens");
  out->reset_tokens = reset(h, "x-ratelimit-reset-tokens", now);
  out->remaining = number(h, "x-ratelimit-remaining");
  out->reset = reset(h, "x-ratelimit-reset", now);
  if (isnan(out->remaining_requests) && isnan(out->reset_requests) &&
      isnan(out->remaining_tokens) && isnan(out->reset_tokens))
    read_anthropic(h, now, out);
}

static enum ofox_source longest_reset(const struct ofox_ratelimit *r,
                                      double *out) {
  const struct {
    enum ofox_source source;
    double remaining, reset;
  } rows[] = {
      {OFOX_SOURCE_RESET_REQUESTS, r->remaining_requests, r->reset_requests},
      {OFOX_SOURCE_RESET_TOKENS, r->remaining_tokens, r->reset_tokens},
      {OFOX_SOURCE_RESET, r->remaining, r->reset}};
  enum ofox_source source = OFOX_SOURCE_NONE;
  int counted = !isnan(r->remaining_requests) || !isnan(r->remaining_tokens) ||
                !isnan(r->remaining);
  size_t i;
  *out = NAN;
  for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (!isnan(rows[i].reset) && (!counted || rows[i].remaining <= 0) &&
        (isnan(*out) || rows[i].reset > *out)) {
      *out = rows[i].reset;
      source = rows[i].source;
    }
  }
  return source;
}

enum ofox_source ofox_headers_delay(const struct ofox_headers *h, double wall,
                                    double *out) {
  struct ofox_ratelimit limits;
  if (ofox_times_seconds(ofox_headers_get(h, "retry-after-ms"), out)) {
    *out /= 1000;
    return OFOX_SOURCE_RETRY_AFTER_MS;
  }
  if (ofox_times_retry_after(ofox_headers_get(h, "retry-after"),
                             ofox_headers_now(h, wall), out))
    return OFOX_SOURCE_RETRY_AFTER;
  ofox_headers_ratelimit(h, wall, &limits);
  return longest_reset(&limits, out);
}

int ofox_headers_should_retry(struct ofox_span value) {
  value = ofox_span_trim(value);
  if (ofox_span_ieq(value, "true"))
    return 1;
  return ofox_span_ieq(value, "false") ? 0 : -1;
}
