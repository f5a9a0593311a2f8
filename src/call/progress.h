/*
** How far the attempt of a call is, for its transport.
** Knows nothing of what is done about it.
*/
#ifndef OFOX_CALL_PROGRESS_H
#define OFOX_CALL_PROGRESS_H

#include "call/state.h"

/* Of the response to this attempt, as far as received. */
const struct ofox_headers *ofox_call_headers(const struct ofox_call *c);
/* The status is an error, and no byte of its body has arrived yet. */
int ofox_call_is_bare_failure(const struct ofox_call *c);
/* The time of its latest byte. */
double ofox_call_heard(const struct ofox_call *c);
/* Is the queue full? Has the reader taken so much that reading on is
** worthwhile? */
int ofox_call_is_full(const struct ofox_call *c);
int ofox_call_has_room(const struct ofox_call *c);
/* The body is paused for a slow reader. */
int ofox_call_is_paused(const struct ofox_call *c);

#endif
