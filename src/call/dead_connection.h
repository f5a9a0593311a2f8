/*
** Attempts that failed only because their connection, which had been used
** before, was dead.
** Knows nothing of the consequences.
*/
#ifndef OFOX_DEAD_CONNECTION_H
#define OFOX_DEAD_CONNECTION_H

#include "call/state.h"

/*
** Did the last attempt fail that way? The server closed the connection while
** the request was being sent, or answered 408 to an idle connection.
*/
int ofox_dead_connection_is(const struct ofox_call *c);

#endif
