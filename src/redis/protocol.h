/*
** Commands as bytes (RESP): a count, and as many arguments.
** Knows nothing of hiredis, nor of what is sent.
*/
#ifndef OFOX_REDIS_PROTOCOL_H
#define OFOX_REDIS_PROTOCOL_H

#include "base/buf.h"

/* The beginning of a command of so many arguments, its name among them: 0, or
** the buffer's error. */
int ofox_redis_put_count(struct ofox_buf *out, size_t count);
/* One argument. */
int ofox_redis_put(struct ofox_buf *out, struct ofox_span argument);

#endif
