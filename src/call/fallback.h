/*
** Fallback: when a call goes on to the next of its models.
** Knows nothing of which models these are.
*/
#ifndef OFOX_FALLBACK_H
#define OFOX_FALLBACK_H

#include "call/state.h"

/* After the failure in hand: the gateway answered for this model, which cannot
** serve now, and another one stands behind it. */
int ofox_fallback_is_due(const struct ofox_call *c);

#endif
