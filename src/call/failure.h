/*
** Why an attempt has failed, as text that may be shown: redacted, bounded,
** valid UTF-8. A part of the call in a file of its own.
** Knows nothing of what comes next.
*/
#ifndef OFOX_FAILURE_H
#define OFOX_FAILURE_H

#include "call/state.h"

/* Allocates c->error if there is none. 0, or OFOX_EMEM, which the call
** records. */
int ofox_failure_room(struct ofox_call *c);

/*
** Reads the response to an attempt that ended in 'outcome'; 'detail' is what
** the transport knows in addition. 0: a success; 1: a failure, described by
** c->error; OFOX_EMEM: a failure without memory for it. Sets c->failed and,
** for a failure, c->request_id.
*/
int ofox_failure_read(struct ofox_call *c, enum ofox_outcome outcome,
                      struct ofox_span detail);

/* Adds the failure to a history, as that of an attempt which took 'elapsed'
** seconds, with the delay after it. 0, or OFOX_EMEM. */
int ofox_failure_remember(const struct ofox_call *c, struct ofox_history *to,
                          double delay, enum ofox_source source,
                          double elapsed);

/* Explains the failure of a call that was ended from outside: 'detail' as
** for ofox_call_end. */
void ofox_failure_explain(struct ofox_call *c, struct ofox_span detail);

/* The failure is the fault of a parameter; NULL: of none. */
void ofox_failure_param(struct ofox_call *c, const char *param);

/* Sets c->request_id from the response as it is now. */
void ofox_failure_request_id(struct ofox_call *c);

#endif
