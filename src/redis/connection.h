/*
** A connection to a server of Redis that runs scripts. It connects when there
** is something to send, and again after a failure, in pauses. Each script ends
** once, with a reply or with a problem; what has ended waits until it is
** taken. Nothing here waits: all happens in steps of the engine whose guest it
** is. Time is an argument, in seconds. Knows nothing of Lua.
*/
#ifndef OFOX_REDIS_CONNECTION_H
#define OFOX_REDIS_CONNECTION_H

#include "base/buf.h"
#include "io/guests.h"
#include "redis/reply.h"
#include "redis/url.h"

struct ofox_redis;

/* The same as in command.h, by its name; the reply is NULL with a problem. */
struct ofox_redis_result {
  unsigned long ticket;
  const struct ofox_buf *reply;
  const char *code;    /* "timeout", "lost" ..., see ofox_redis_outcome_name */
  const char *problem; /* what is wrong, in words, without secrets */
};

/*
** 'url' is moved into it. 'timeout' is how long each script may take. NULL:
** 'problem' says why. It is a guest of 'host', which may be gone before it.
*/
struct ofox_redis *ofox_redis_new(struct ofox_redis_url *url,
                                  const char *ca_file, double timeout,
                                  struct ofox_guests *host, char *problem,
                                  size_t size);
void ofox_redis_delete(struct ofox_redis *r); /* NULL is fine */

/* What names it in the host's news. */
const struct ofox_note *ofox_redis_note(const struct ofox_redis *r);
int ofox_redis_has_tls(void); /* rediss:// can be opened */
/* Created by this process? In a forked child, each script ends at once. */
int ofox_redis_is_ours(const struct ofox_redis *r);
/* "off", "connecting", "ready", "closed" */
const char *ofox_redis_state(const struct ofox_redis *r);
/* Adds where it leads, without secrets: 0, or the buffer's error. */
int ofox_redis_describe(const struct ofox_redis *r, struct ofox_buf *out);

/*
** Runs a script. 'rest' is the number of keys, the keys and the arguments,
** 'count' of both, as the protocol has them. 0, or OFOX_EMEM: there will be no
** result.
*/
int ofox_redis_eval(struct ofox_redis *r, struct ofox_span script,
                    struct ofox_span rest, size_t count, unsigned long ticket,
                    double now);
/* All that is pending ends; further scripts end at once. Idempotent. */
void ofox_redis_close(struct ofox_redis *r);

/* The first result that was not taken: 1, or 0. */
int ofox_redis_peek(struct ofox_redis *r, struct ofox_redis_result *out);
/* It is taken, and freed. */
void ofox_redis_pop(struct ofox_redis *r);

#endif
