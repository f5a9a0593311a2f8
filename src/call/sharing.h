/*
** What an account tells a store that other processes ask, too, and what the
** store answers, as lua/ofox/store/ledger.lua has it.
** Knows nothing of how the store is reached.
*/
#ifndef OFOX_SHARING_H
#define OFOX_SHARING_H

#include "base/buf.h"
#include "call/state.h"

/* Is there something to tell the store or, before an attempt of the call
** ('starts'), to ask it? Then 1, and 'out' has it, which counts as asked; 0;
** or negative: there is no memory, and nothing was asked. */
int ofox_sharing_ask(struct ofox_call *c, int starts, double now,
                     struct ofox_buf *out);

/* What the store answers. 0, or OFOX_ESYNTAX: it counts as failed. */
int ofox_sharing_answer(struct ofox_account *a, struct ofox_span text,
                        double now);
/* It did not answer: what it was to be told is told with the next ask. */
void ofox_sharing_failed(struct ofox_account *a, double now);

#endif
