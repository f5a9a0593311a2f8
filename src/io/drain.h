/*
** The rest of an answer whose call has all that it wants: a little of it is
** read, so that the connection can be kept.
** Knows nothing of what is in it.
*/
#ifndef OFOX_DRAIN_H
#define OFOX_DRAIN_H

#include "io/transfer.h"

/*
** Takes the call, which is DONE, off a transfer whose body has not ended yet.
** 0; or negative: nothing can be kept, stop the transfer.
*/
int ofox_drain_start(struct ofox_transfer *t, double now);

/* More bytes have come to a transfer that has no call: 'n', or 0: it is more
** than the connection is worth. */
size_t ofox_drain_take(struct ofox_transfer *t, size_t n);

#endif
