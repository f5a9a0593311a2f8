/*
** Why an attempt has failed, in words fit to be shown: no secrets, bounded,
** valid UTF-8. A part of the call that stands in a file of its own.
** Knows nothing of what comes next.
*/
#ifndef OFOX_FAILURE_H
#define OFOX_FAILURE_H

#include "call/state.h"

/* Makes room for c->error if there is none. 0, or OFOX_EMEM, which the call
** knows. */
int ofox_failure_room(struct ofox_call *c);

/*
** Reads the response to an attempt that ended in 'outcome'; 'detail' is what
** the transport knows beyond that. 0: a success; 1: a failure, which
** c->error tells; OFOX_EMEM: one that there was no room for. Sets c->failed
** and, of a failure, c->request_id.
*/
int ofox_failure_read(struct ofox_call *c, enum ofox_outcome outcome,
                      struct ofox_span detail);

/* Sets c->request_id from the response as it is now. */
void ofox_failure_request_id(struct ofox_call *c);

#endif
