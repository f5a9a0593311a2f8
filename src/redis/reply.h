/*
** A reply of Redis as bytes that outlive hiredis' objects, one value after the
** other: its kind, a number, and as many bytes or values.
** Knows of hiredis only what a reply looks like.
*/
#ifndef OFOX_REDIS_REPLY_H
#define OFOX_REDIS_REPLY_H

#include "base/buf.h"

struct redisReply;

enum ofox_redis_kind {
  OFOX_REDIS_NIL,
  OFOX_REDIS_INTEGER, /* 'number' is it */
  OFOX_REDIS_TEXT,
  OFOX_REDIS_ERROR, /* 'text' is what the server says */
  OFOX_REDIS_ARRAY  /* of 'number' values, which follow */
};

struct ofox_redis_value {
  enum ofox_redis_kind kind;
  long long number;
  struct ofox_span text;
};

/* Deeper arrays are nil; Redis itself makes none as deep. */
#define OFOX_REDIS_DEEPEST 8

/* Adds a reply: 0, or OFOX_EMEM. */
int ofox_redis_reply_add(struct ofox_buf *out, const struct redisReply *r);

/* The value at '*at', past which '*at' moves. There has to be one. */
struct ofox_redis_value ofox_redis_reply_read(const struct ofox_buf *b,
                                              size_t *at);

#endif
