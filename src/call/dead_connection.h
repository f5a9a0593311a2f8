/*
** Attempts that failed only because the connection they were sent on, which
** had been used before, was dead.
** Knows nothing of what follows from that.
*/
#ifndef OFOX_DEAD_CONNECTION_H
#define OFOX_DEAD_CONNECTION_H

#include "call/state.h"

/*
** Did the attempt that has just failed? The server closed the connection while
** the request was on its way, or said 408 to a connection that was idle.
*/
int ofox_dead_connection_is(const struct ofox_call *c);

#endif
