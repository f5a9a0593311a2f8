/*
** What the answer of a call has used, told to those who count it: the counters
** of its client, and the pace of its account.
** Knows nothing of either.
*/
#ifndef OFOX_USED_H
#define OFOX_USED_H

#include "call/state.h"
#include "wire/usage.h"

/* The answer says so; all NaN: it does not. */
void ofox_used(struct ofox_call *c, const struct ofox_usage *u);

/* The attempt is over: what the events of its stream have said, if it was one.
 */
void ofox_used_by_stream(struct ofox_call *c);

#endif
