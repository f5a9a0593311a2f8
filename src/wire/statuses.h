/*
** The statuses of HTTP that say that a request has failed (RFC 9110, 15; 402,
** 429 and 52x as the gateway and those before it use them).
** Knows nothing of bodies, or of what a failure leads to.
*/
#ifndef OFOX_STATUSES_H
#define OFOX_STATUSES_H

#include "wire/classes.h"

struct ofox_status_row {
  int status;
  enum ofox_class cls;
  int retryable; /* the same request may succeed later */
  int ambiguous; /* the model may have seen the request */
};

/* The row of a status >= 400. */
const struct ofox_status_row *ofox_statuses_find(int status);

#endif
