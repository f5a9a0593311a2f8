/*
** A hedge: the second attempt of a call whose first has not begun to answer.
** It is a call of its own, the twin, with what the first one knows. Of a pair
** the one that answers first goes on alone, as the call; the other is its
** history. Knows nothing of transports, or of who makes the twin and starts
** it.
*/
#ifndef OFOX_HEDGE_H
#define OFOX_HEDGE_H

#include "call/state.h"

#define OFOX_NEXT_MODEL_MAX 0xffffU

/* When a call on its way wants a twin; INFINITY: it does not. */
double ofox_hedge_due(const struct ofox_call *c);
/* If that moment has come, the call has news. */
void ofox_hedge_tick(struct ofox_call *c, double now);
/* Something has changed in it: it has news, and so has its twin. */
void ofox_hedge_tell(struct ofox_call *c);
/* Its headers are complete. */
void ofox_hedge_heard(struct ofox_call *c);
/* It begins an attempt. */
void ofox_hedge_begun(struct ofox_call *c);

/* Does 'c', which is on its way, still want a twin? */
int ofox_hedge_is_wanted(const struct ofox_call *c);
/* 'twin', which is initialized, takes over what 'c' knows. 'own': it asks the
** last of the models. 0, or OFOX_EMEM. */
int ofox_hedge_inherit(struct ofox_call *twin, const struct ofox_call *c,
                       int own);
/* May it begin, here and now? If it may not, nothing of it stays anywhere. */
int ofox_hedge_may_begin(struct ofox_call *twin, double now);
/* They are a pair from now on; the transport starts the twin next. */
void ofox_hedge_join(struct ofox_call *c, struct ofox_call *twin);

/* An attempt has failed whose twin is still on its way, or has answered: then
** 1, and the failure is told there. The call has no part in it any more. */
int ofox_hedge_leave(struct ofox_call *c, double now);
/* Which of a pair goes on alone: 1: 'c', -1: the twin, 0: not known yet. They
** have no news after this. */
int ofox_hedge_alone(struct ofox_call *c, struct ofox_call *twin);
/* 'c' goes on without 'other', which is about to be cancelled. Nothing if they
** are no pair. 0; or OFOX_EMEM: its history lacks the other. */
int ofox_hedge_settle(struct ofox_call *c, struct ofox_call *other,
                      double now);
/* A call is freed. */
void ofox_hedge_part(struct ofox_call *c);

#endif
