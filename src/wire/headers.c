#include "wire/headers.h"

#include <math.h>
#include <string.h>

#include "base/times.h"

struct entry {
  size_t name, name_n, value, value_n; /* in _text; names in lower case */
};

const char *const ofox_headers_request_ids[] = {
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

void ofox_headers_init(struct ofox_headers *h) {
  memset(h, 0, sizeof(*h));
  ofox_buf_init(&h->_text, OFOX_HEADERS_CAP);
  /* the shortest line that is kept has two bytes */
  ofox_buf_init(&h->_list, OFOX_HEADERS_CAP / 2 * sizeof(struct entry));
}

void ofox_headers_free(struct ofox_headers *h) {
  ofox_headers_clear(h);
  ofox_buf_free(&h->_text);
  ofox_buf_free(&h->_list);
}

/* What an answer said is forgotten, but not how much was read. */
static void restart(struct ofox_headers *h) {
  h->status = h->complete = h->version = 0;
  h->_open = 0;
  ofox_buf_clear(&h->_text);
  ofox_buf_clear(&h->_list);
}

void ofox_headers_clear(struct ofox_headers *h) {
  restart(h);
  h->_seen = 0;
  h->_error = 0;
}

static struct entry *list(const struct ofox_headers *h) {
  return (struct entry *)(void *)h->_list.p;
}

size_t ofox_headers_count(const struct ofox_headers *h) {
  return h->_list.n / sizeof(struct entry);
}

static int is_token(struct ofox_span s) {
  size_t i;
  int c;
  for (i = 0; i < s.n; i++) {
    c = ofox_tolower((unsigned char)s.p[i]);
    if (!(c >= 'a' && c <= 'z') && !ofox_isdigit(c) &&
        (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
      return 0;
  }
  return s.n > 0;
}

/*
** Adds to the value of 'it', which is the last thing in the text. NUL and
** bare line ends are read as blanks (RFC 9110, 5.5).
*/
static int add_value(struct ofox_headers *h, struct entry *it,
                     struct ofox_span more) {
  struct ofox_span v;
  size_t i = h->_text.n;
  int rc = ofox_buf_addspan(&h->_text, more);
  for (; i < h->_text.n; i++) {
    if (memchr("\r\n", h->_text.p[i], 3) != NULL)
      h->_text.p[i] = ' ';
  }
  v.p = h->_text.p + it->value;
  v.n = h->_text.n - it->value;
  v = ofox_span_trim(v);
  it->value = (size_t)(v.p - h->_text.p);
  it->value_n = v.n;
  h->_text.n = it->value + v.n;
  return rc;
}

int ofox_headers_add(struct ofox_headers *h, struct ofox_span name,
                     struct ofox_span value) {
  struct entry it = {0, 0, 0, 0};
  size_t i;
  int rc;
  h->_open = 0;
  if (!is_token(name))
    return 0;
  it.name = h->_text.n;
  it.name_n = name.n;
  it.value = it.name + name.n;
  rc = ofox_buf_addspan(&h->_text, name);
  if (rc == 0)
    rc = add_value(h, &it, ofox_span_trim(value));
  if (rc == 0)
    rc = ofox_buf_add(&h->_list, &it, sizeof(it));
  if (rc != 0) {
    h->_text.n = it.name;
    return rc;
  }
  for (i = it.name; i < it.name + it.name_n; i++)
    h->_text.p[i] = (char)ofox_tolower((unsigned char)h->_text.p[i]);
  h->_open = 1;
  return 0;
}

/* "HTTP/1.1 200 OK": 1 and the numbers, or 0. */
static int status_line(struct ofox_span s, int *version, int *status) {
  size_t i;
  if (!ofox_span_ihas_prefix(s, "HTTP/") || s.n < 6 ||
      !ofox_isdigit((unsigned char)s.p[5]))
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

/* A line that starts with a blank goes on with the value before it. */
static int continue_value(struct ofox_headers *h, struct ofox_span s) {
  struct entry *last;
  int rc;
  s = ofox_span_trim(s);
  if (!h->_open || s.n == 0)
    return 0;
  last = &list(h)[ofox_headers_count(h) - 1];
  rc = ofox_buf_addc(&h->_text, ' ');
  if (rc == 0)
    rc = add_value(h, last, s);
  return rc;
}

static int add_line(struct ofox_headers *h, struct ofox_span s) {
  struct ofox_span name, value;
  const char *colon = memchr(s.p, ':', s.n);
  if (colon == NULL) {
    h->_open = 0;
    return 0;
  }
  name.p = s.p;
  name.n = (size_t)(colon - s.p);
  value.p = colon + 1;
  value.n = s.n - name.n - 1;
  return ofox_headers_add(h, ofox_span_trim(name), value);
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
    if (s.p[0] == ' ' || s.p[0] == '\t')
      h->_error = continue_value(h, s);
    else
      h->_error = add_line(h, s);
  }
  return h->_error;
}

void ofox_headers_at(const struct ofox_headers *h, size_t i,
                     struct ofox_span *name, struct ofox_span *value) {
  const struct entry *it = &list(h)[i];
  name->p = h->_text.p + it->name;
  name->n = it->name_n;
  value->p = h->_text.p + it->value;
  value->n = it->value_n;
}

struct ofox_span ofox_headers_get(const struct ofox_headers *h,
                                  const char *name) {
  struct ofox_span n, v;
  size_t i, count = ofox_headers_count(h);
  for (i = 0; i < count; i++) {
    ofox_headers_at(h, i, &n, &v);
    if (ofox_span_eq(n, name))
      return v;
  }
  return OFOX_NOSPAN;
}

struct ofox_span ofox_headers_request_id(const struct ofox_headers *h) {
  struct ofox_span v = OFOX_NOSPAN;
  size_t i;
  for (i = 0; ofox_headers_request_ids[i] != NULL && v.n == 0; i++)
    v = ofox_headers_get(h, ofox_headers_request_ids[i]);
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
