/*
** What a connection says first: AUTH and SELECT, where its URL wants them, and
** whether the server accepts them.
** Knows nothing of what follows.
*/
#ifndef OFOX_REDIS_GREETING_H
#define OFOX_REDIS_GREETING_H

#include "redis/link.h"
#include "redis/url.h"

struct ofox_redis_greeting;

struct ofox_redis_question {
  struct ofox_redis_asked asked; /* first: it is found by it */
  struct ofox_redis_greeting *of;
};

/* Has to stay where it is until the link has ended. */
struct ofox_redis_greeting {
  int left;      /* answers to come */
  int refused;   /* 'why' */
  char why[160]; /* without secrets */
  long _database;
  struct ofox_redis_question _auth, _select;
};

/* Sends what there is to say, perhaps nothing: 0, or negative. */
int ofox_redis_greeting_send(struct ofox_redis_greeting *g,
                             struct ofox_redis_link *l,
                             const struct ofox_redis_url *url);

#endif
