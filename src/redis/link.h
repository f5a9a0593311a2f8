/*
** One connection of hiredis, as a guest of an engine: bytes of commands go
** out, replies come back in their order. When it has ended, each command that
** was not answered has been told so.
** Knows nothing of what is sent, or of when it is opened again.
*/
#ifndef OFOX_REDIS_LINK_H
#define OFOX_REDIS_LINK_H

#include <hiredis/hiredis.h>

#include "base/buf.h"
#include "io/guests.h"
#include "redis/tls.h"

struct redisAsyncContext;

/* Something that was sent. */
struct ofox_redis_asked {
  /* The reply, which is gone afterwards; NULL: the connection has ended. */
  void (*answered)(struct ofox_redis_asked *a, const struct redisReply *r);
};

struct ofox_redis_link {
  struct ofox_guest *guest;
  struct ofox_redis_tls *tls; /* NULL: none */
  size_t unanswered;
  int is_up;     /* commands go out: it is connected, and TLS has begun */
  char why[160]; /* it has ended */
  struct redisAsyncContext *_ac;             /* NULL: it has ended */
  int _wants;                                /* of OFOX_POLL_* */
  int _connected;                            /* but TLS may not have begun */
  int _failed;                               /* it is to end */
  redisReplyObjectFunctions _ours, *_theirs; /* see link.c */
};

/* Begins to connect to an address of the network, or to a path of a unix
** socket ('port' 0). 0, or negative: see 'why'. */
int ofox_redis_link_open(struct ofox_redis_link *l, const char *where,
                         int port);
int ofox_redis_link_is_open(const struct ofox_redis_link *l);
/* Sends a command. 0, or negative: it will not be answered. */
int ofox_redis_link_send(struct ofox_redis_link *l, struct ofox_span bytes,
                         struct ofox_redis_asked *a);
/* Reads and writes what can be: 'what' of OFOX_POLL_*. */
void ofox_redis_link_serve(struct ofox_redis_link *l, int what);
/* Ends it; 'why' keeps what it has, or becomes 'because'. Idempotent; not from
** within 'answered'. */
void ofox_redis_link_close(struct ofox_redis_link *l, const char *because);

#endif
