/*
** One command to Redis, a script with its keys and arguments, and what has
** become of it.
** Knows nothing of when it is sent, or of who asked for it.
*/
#ifndef OFOX_REDIS_COMMAND_H
#define OFOX_REDIS_COMMAND_H

#include "redis/link.h"
#include "redis/scripts.h"

/* How a command has ended. */
enum ofox_redis_outcome {
  OFOX_REDIS_PENDING,
  OFOX_REDIS_REPLY, /* also that of an error */
  OFOX_REDIS_TIMEOUT,
  OFOX_REDIS_LOST,    /* the connection has ended; it may have been run */
  OFOX_REDIS_DOWN,    /* it was not sent: there is no connection */
  OFOX_REDIS_REFUSED, /* it was not sent: the server refused us */
  OFOX_REDIS_FULL,    /* it was not sent: too many are waiting */
  OFOX_REDIS_CLOSED,
  OFOX_REDIS_FORKED, /* the connection is that of the parent process */
  OFOX_REDIS_NO_MEMORY
};

/* What a program calls it. */
const char *ofox_redis_outcome_name(enum ofox_redis_outcome o);

struct ofox_redis_command {
  struct ofox_redis_asked asked; /* first: it is found by it */
  void *user;
  unsigned long ticket;
  struct ofox_redis_script *script;
  struct ofox_buf rest; /* the number of keys, keys, arguments: as they go */
  size_t count;         /* how many keys and arguments */
  double deadline;
  unsigned long nth; /* of those sent on this connection */
  int shows;         /* how often it had the script's text */
  int is_sent;       /* hiredis has a pointer to it */
  int is_taken;      /* its outcome was delivered */
  enum ofox_redis_outcome outcome;
  struct ofox_buf reply;
  char problem[160];
  struct ofox_redis_command *_next, **_link;
};

/* In order of arrival. */
struct ofox_redis_commands {
  struct ofox_redis_command *first, **end;
};

void ofox_redis_commands_init(struct ofox_redis_commands *list);
void ofox_redis_commands_add(struct ofox_redis_commands *list,
                             struct ofox_redis_command *c);
void ofox_redis_commands_remove(struct ofox_redis_commands *list,
                                struct ofox_redis_command *c);

/* NULL: no memory. 'rest' is copied. */
struct ofox_redis_command *
ofox_redis_command_new(struct ofox_redis_scripts *scripts,
                       struct ofox_span script, struct ofox_span rest,
                       size_t count);
/* Frees it, unless hiredis still has it. */
void ofox_redis_command_release(struct ofox_redis_command *c);

/* Adds it to 'out' as the protocol has it, with the script's text or its name:
** 0 or OFOX_EMEM. */
int ofox_redis_command_write(const struct ofox_redis_command *c, int with_text,
                             struct ofox_buf *out);

#endif
