/*
** Fallback: when a call moves on to the next of its models.
** Knows nothing of which models these are.
*/
#ifndef OFOX_FALLBACK_H
#define OFOX_FALLBACK_H

#include "call/state.h"

/* Has it another model to fall back to? */
int ofox_fallback_has_next(const struct ofox_call *c);
/* Is the model of this attempt one that hedges alone ask? */
int ofox_fallback_is_hedge(const struct ofox_call *c);
/* After the current failure: the gateway answered for this model, which is
** unavailable now, and there is another one. */
int ofox_fallback_is_due(const struct ofox_call *c);
/* The model of the next attempt, after the current failure. */
void ofox_fallback_move(struct ofox_call *c);

#endif
