/*
** The headers of one answer, fed line by line as they are received, and what
** they say about limits and waiting. Interim answers (1xx) are dropped,
** trailers ignored. Knows nothing of bodies, retry policy or who sent them.
*/
#ifndef OFOX_HEADERS_H
#define OFOX_HEADERS_H

#include "base/buf.h"

#define OFOX_HEADERS_CAP (300 * 1024) /* libcurl's own limit */

/* The source of a delay; the names are those of err.retries[i]. */
#define OFOX_SOURCES(X)                                                       \
  X(NONE, "none")                                                             \
  X(BACKOFF, "backoff")                                                       \
  X(RETRY_AFTER_MS, "retry-after-ms")                                         \
  X(RETRY_AFTER, "retry-after")                                               \
  X(RESET_REQUESTS, "x-ratelimit-reset-requests")                             \
  X(RESET_TOKENS, "x-ratelimit-reset-tokens")                                 \
  X(RESET, "x-ratelimit-reset")                                               \
  X(BODY, "body")                                                             \
  X(HOOK, "hook")                                                             \
  X(IMMEDIATE, "immediate")                                                   \
  X(HEDGE, "hedge")

enum ofox_source {
#define X(id, name) OFOX_SOURCE_##id,
  OFOX_SOURCES(X)
#undef X
};
const char *ofox_source_name(enum ofox_source s);

struct ofox_headers {
  int status;   /* before the answer's own that of an interim one, or 0 */
  int complete; /* the blank line of a final answer was seen */
  int version;  /* 10, 11, 20 or 30 */
  size_t lines; /* of headers, including invalid ones */
  struct ofox_buf _text; /* the lines */
  size_t _last;          /* where the last of them is */
  size_t _seen;          /* bytes of all lines so far */
  int _open;             /* may the last line be continued? */
  int _error;            /* what stopped it, permanently */
};

void ofox_headers_init(struct ofox_headers *h);
void ofox_headers_free(struct ofox_headers *h);
void ofox_headers_clear(struct ofox_headers *h);

/*
** One line, with or without its line end. 1: the final answer's headers are
** complete (and on every later line); 0: more needed; OFOX_ECAP or OFOX_EMEM,
** from then on. An invalid line is skipped, and so is anything before a status
** line.
*/
int ofox_headers_line(struct ofox_headers *h, const char *p, size_t n);

/* A header given as a pair; skipped if invalid. 0, OFOX_E{CAP,MEM}. */
int ofox_headers_add(struct ofox_headers *h, struct ofox_span name,
                     struct ofox_span value);

/*
** The spans returned are valid until the next line; names are lower-case. The
** first value of a name, or OFOX_NOSPAN; and iterators over all values of one,
** and over all headers: start with '*pos' = 0; 0: no more.
*/
struct ofox_span ofox_headers_get(const struct ofox_headers *h,
                                  const char *name);
int ofox_headers_each(const struct ofox_headers *h, const char *name,
                      size_t *pos, struct ofox_span *value);
int ofox_headers_next(const struct ofox_headers *h, size_t *pos,
                      struct ofox_span *name, struct ofox_span *value);

struct ofox_span ofox_headers_request_id(const struct ofox_headers *h);

/* The answer's Date, in seconds since 1970; 'wall' if it has none. */
double ofox_headers_now(const struct ofox_headers *h, double wall);

/* Numbers of the x-ratelimit-* headers; those not sent are NaN. */
struct ofox_ratelimit {
  double limit_requests, remaining_requests, reset_requests;
  double limit_tokens, remaining_tokens, reset_tokens;
  double remaining, reset; /* of what they do not say */
};
void ofox_headers_ratelimit(const struct ofox_headers *h, double wall,
                            struct ofox_ratelimit *out);

/*
** How long the headers ask to wait, and which one said it: retry-after-ms,
** retry-after, then the resets (if any remaining count is 0, only those of
** such counts matter, the longest of them; a reset whose count is absent
** matters only when no count was sent). Junk says nothing. Else NONE and NaN.
*/
enum ofox_source ofox_headers_delay(const struct ofox_headers *h, double wall,
                                    double *out);

/* The value of x-should-retry: 1 true, 0 false, -1 absent or anything else. */
int ofox_headers_should_retry(struct ofox_span value);

#endif
