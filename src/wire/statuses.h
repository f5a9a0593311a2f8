/*
** The HTTP statuses that report a failed request (RFC 9110, 15; 402, 429 and
** 52x as the gateway and its proxies use them).
** Knows nothing of bodies, or of the consequences of a failure.
*/
#ifndef OFOX_STATUSES_H
#define OFOX_STATUSES_H

#include "wire/classes.h"

struct ofox_status_row {
  int status;
  enum ofox_class cls;
  int retryable; /* the same request may succeed later */
  int ambiguous; /* the model may have received the request */
};

/* The row of a status >= 400. */
const struct ofox_status_row *ofox_statuses_find(int status);

#endif
