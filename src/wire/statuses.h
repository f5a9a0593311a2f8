/*
** The statuses of HTTP that say that a request has failed (RFC 9110, 15; 402,
** 429 and 52x as the gateway and those before it use them).
** Knows nothing of bodies, or of what a failure leads to.
*/
#ifndef OFOX_STATUSES_H
#define OFOX_STATUSES_H

#include "wire/classes.h"

/*
** status, class, retryable: the same request may succeed later, ambiguous: the
** model may have seen the request. Of 502 a body without words is ambiguous,
** too. All other 4xx are as the row 400, all other 5xx as the row 500.
*/
#define OFOX_STATUSES(X)                                                      \
  X(400, INVALID_REQUEST, 0, 0)                                               \
  X(401, AUTHENTICATION, 0, 0)                                                \
  X(402, BILLING, 0, 0)                                                       \
  X(403, PERMISSION, 0, 0)                                                    \
  X(404, NOT_FOUND, 0, 0)                                                     \
  X(407, AUTHENTICATION, 0, 0)                                                \
  X(408, TIMEOUT, 1, 1)                                                       \
  X(409, CONFLICT, 1, 0)                                                      \
  X(429, RATE_LIMIT, 1, 0)                                                    \
  X(500, INTERNAL, 1, 0)                                                      \
  X(501, INTERNAL, 0, 0)                                                      \
  X(502, UPSTREAM, 1, 0)                                                      \
  X(503, UNAVAILABLE, 1, 0)                                                   \
  X(504, TIMEOUT, 1, 1)                                                       \
  X(505, INTERNAL, 0, 0)                                                      \
  X(511, INTERNAL, 0, 0)                                                      \
  X(520, UPSTREAM, 1, 0)                                                      \
  X(521, UPSTREAM, 1, 0)                                                      \
  X(522, UPSTREAM, 1, 0)                                                      \
  X(523, UPSTREAM, 1, 0)                                                      \
  X(524, UPSTREAM, 1, 1)                                                      \
  X(529, UNAVAILABLE, 1, 0)

struct ofox_status_row {
  int status;
  enum ofox_class cls;
  int retryable, ambiguous;
};

/* The row of a status >= 400. */
const struct ofox_status_row *ofox_statuses_find(int status);

#endif
