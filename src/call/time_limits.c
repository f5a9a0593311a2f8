#include "call/time_limits.h"

#include <math.h>

/* Time limit for the body of an error. */
#define FAILURE_PATIENCE 2.0

struct next {
  double at;
  enum ofox_outcome which;
};

static void consider(struct next *n, double at, enum ofox_outcome which) {
  if (at < n->at) {
    n->at = at;
    n->which = which;
  }
}

double ofox_time_limits_next(const struct ofox_clock *c,
                             const struct ofox_time_limits *l,
                             enum ofox_outcome *which) {
  struct next n = {c->call_began + l->deadline, OFOX_OUTCOME_DEADLINE};
  if (!c->queued) {
    consider(&n, c->began + (c->streaming ? l->stream_timeout : l->timeout),
             OFOX_OUTCOME_TIMEOUT);
    if (!c->connected)
      consider(&n, c->began + l->connect_timeout,
               OFOX_OUTCOME_CONNECT_TIMEOUT);
    if (c->failing)
      consider(&n, c->head_at + fmin(l->timeout, FAILURE_PATIENCE),
               OFOX_OUTCOME_TIMEOUT);
    if (c->streaming && !c->paused)
      consider(&n, c->byte_at + l->idle_timeout, OFOX_OUTCOME_IDLE_TIMEOUT);
  }
  *which = n.which;
  return n.at;
}
