/*
** Fallback: when a call moves on to the next of its models.
** Knows nothing of which models these are.
*/
#ifndef OFOX_FALLBACK_H
#define OFOX_FALLBACK_H

#include "call/state.h"

/* After the current failure: the gateway answered for this model, which is
** unavailable now, and there is another one. */
int ofox_fallback_is_due(const struct ofox_call *c);

#endif
