/*
** The rest of an answer whose call is done: a little of it is read, so that
** the connection can be kept.
** Knows nothing of its contents.
*/
#ifndef OFOX_DRAIN_H
#define OFOX_DRAIN_H

#include "io/transfer.h"

/*
** Detaches the call, which is DONE, from a transfer whose body has not ended
** yet. 0; or negative: the connection cannot be kept, stop the transfer.
*/
int ofox_drain_start(struct ofox_transfer *t, double now);

/* A transfer without a call has received more bytes: 'n', or 0: more than the
** connection is worth. */
size_t ofox_drain_take(struct ofox_transfer *t, size_t n);

#endif
