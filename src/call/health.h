/*
** Whether an attempt is worth sending: the breaker of its model, and the
** account's budget for retries. Told of each attempt's start and end; of calls
** without these options it keeps nothing.
** Knows nothing of queues, or of what becomes of a call that is refused.
*/
#ifndef OFOX_HEALTH_H
#define OFOX_HEALTH_H

#include "call/state.h"

enum ofox_health {
  OFOX_HEALTH_UNKNOWN, /* tells nothing of the service: 4xx, cancelled */
  OFOX_HEALTH_GOOD,
  OFOX_HEALTH_BAD
};

/* What the failure of its attempt tells. */
enum ofox_health ofox_health_of(const struct ofox_error *e);

/* Memory for what is kept of it. 0 or OFOX_EMEM. */
int ofox_health_room(struct ofox_call *c);

/* When the breaker of its model lets it go; 'now': it does. */
double ofox_health_next(const struct ofox_call *c, double now);

/* A further attempt is planned. 1: it is paid for, or need not be; 0: it
 ** cannot be afforded; OFOX_EMEM. */
int ofox_health_pay(struct ofox_call *c, int after_timeout);

/* The attempt begins; has ended; or is not made after all. */
void ofox_health_started(struct ofox_call *c, double now);
void ofox_health_ended(struct ofox_call *c, enum ofox_health health,
                       double now);
void ofox_health_dropped(struct ofox_call *c);

#endif
