/*
** The transfers of an engine: how they start and end, and what is repeated
** without counting an attempt, since nothing was sent.
** Knows nothing of when they are checked.
*/
#ifndef OFOX_TRANSFERS_H
#define OFOX_TRANSFERS_H

#include "io/transfer.h"

/* Attaches a call to the engine; NULL without memory. */
struct ofox_transfer *ofox_transfers_attach(struct ofox_traffic *w,
                                            struct ofox_call *c);

/* Starts the transfer, which is prepared: 0 or OFOX_EMEM. */
int ofox_transfers_admit(struct ofox_transfer *t);

/* libcurl has ended it. */
void ofox_transfers_ended(struct ofox_transfer *t, CURLcode rc);

/*
** Ends the attempt: for some reason; because a limit has expired. The transfer
** is freed then if its call is DONE. Both, whatever the call's state.
*/
void ofox_transfers_fail(struct ofox_transfer *t, enum ofox_outcome outcome,
                         const char *detail);
void ofox_transfers_expire(struct ofox_transfer *t, enum ofox_outcome outcome);
void ofox_transfers_drop(struct ofox_transfer *t);

/* Starts those that were held back while a connection was being opened that
** may have room for them, if that has changed. */
void ofox_transfers_let_in(struct ofox_traffic *w);

/* Ends all attempts, and closes all connections. */
void ofox_transfers_start_anew(struct ofox_traffic *w);

/* Abandons all transfers, in a child: libcurl must not send there. */
void ofox_transfers_abandon(struct ofox_traffic *w);
/* Drops all. */
void ofox_transfers_end(struct ofox_traffic *w);

#endif
