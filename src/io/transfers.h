/*
** The transfers of an engine: how they come and go, and what of theirs is
** tried once more without an attempt being counted, since nothing was sent.
** Knows nothing of when they are looked at.
*/
#ifndef OFOX_TRANSFERS_H
#define OFOX_TRANSFERS_H

#include "io/transfer.h"

/* Ties a call to the wire; NULL without memory. */
struct ofox_transfer *ofox_transfers_attach(struct ofox_traffic *w,
                                            struct ofox_call *c);

/* Starts the transfer, which is prepared: 0 or OFOX_EMEM. */
int ofox_transfers_admit(struct ofox_transfer *t);

/* libcurl has ended it. */
void ofox_transfers_ended(struct ofox_transfer *t, CURLcode rc);

/*
** Ends the attempt: for some reason; since a limit has passed. The transfer is
** gone after that if its call is DONE. Both, whatever the call may say.
*/
void ofox_transfers_fail(struct ofox_transfer *t, enum ofox_outcome outcome,
                         const char *detail);
void ofox_transfers_expire(struct ofox_transfer *t, enum ofox_outcome outcome);
void ofox_transfers_drop(struct ofox_transfer *t);

/* Starts those that were kept out while a connection was being opened which
** may have room for them, if there is news of that. */
void ofox_transfers_let_in(struct ofox_traffic *w);

/* Ends all attempts, and closes all connections. */
void ofox_transfers_start_anew(struct ofox_traffic *w);

/* Forgets all transfers, in a child: libcurl must not speak there. */
void ofox_transfers_abandon(struct ofox_traffic *w);
/* Drops all. */
void ofox_transfers_end(struct ofox_traffic *w);

#endif
