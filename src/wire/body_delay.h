/*
** How long the body of a failure asks to wait: members, headers that a proxy
** copied into the body, and text.
** Knows nothing of retry policy, and reads no clock.
*/
#ifndef OFOX_BODY_DELAY_H
#define OFOX_BODY_DELAY_H

#include "base/json.h"
#include "wire/members.h"

/* At most one is set, the other is NaN. */
struct ofox_body_delay {
  double delay; /* seconds from the answer on */
  double until; /* seconds since 1970 */
};

void ofox_body_delay_init(struct ofox_body_delay *p);

/*
** Searches the members of an object, its 'metadata', the 'headers' in there,
** and its 'details'. A value that ends where 'body' ends may be truncated and
** is ignored. 1: found. 0: not. Or OFOX_EMEM.
*/
int ofox_body_delay_find(struct ofox_body_delay *p,
                         const struct ofox_members *m, struct ofox_span body);

/* "Please retry after 1s", "try again in 6m0s": 1, or 0. */
int ofox_body_delay_read(struct ofox_body_delay *p, struct ofox_span text);

/* Seconds from 'now', which is in seconds since 1970; NaN: nothing is known.
 */
double ofox_body_delay_left(const struct ofox_body_delay *p, double now);

#endif
