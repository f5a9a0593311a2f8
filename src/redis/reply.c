#include "redis/reply.h"

#include <string.h>

#include <hiredis/hiredis.h>

struct head {
  enum ofox_redis_kind kind;
  long long number;
};

static enum ofox_redis_kind kind_of(const redisReply *r, int depth) {
  switch (r->type) {
  case REDIS_REPLY_INTEGER:
    return OFOX_REDIS_INTEGER;
  case REDIS_REPLY_STRING:
  case REDIS_REPLY_STATUS:
    return OFOX_REDIS_TEXT;
  case REDIS_REPLY_ERROR:
    return OFOX_REDIS_ERROR;
  case REDIS_REPLY_ARRAY:
    return depth < OFOX_REDIS_DEEPEST ? OFOX_REDIS_ARRAY : OFOX_REDIS_NIL;
  default: /* the kinds of RESP3, which is not asked for */
    return OFOX_REDIS_NIL;
  }
}

static int add(struct ofox_buf *out, const redisReply *r, int depth) {
  struct head h;
  size_t i;
  int rc;
  memset(&h, 0, sizeof(h));
  h.kind = kind_of(r, depth);
  if (h.kind == OFOX_REDIS_INTEGER)
    h.number = r->integer;
  else if (h.kind == OFOX_REDIS_ARRAY)
    h.number = (long long)r->elements;
  else if (h.kind != OFOX_REDIS_NIL)
    h.number = (long long)r->len;
  rc = ofox_buf_add(out, &h, sizeof(h));
  if (rc == 0 && (h.kind == OFOX_REDIS_TEXT || h.kind == OFOX_REDIS_ERROR))
    rc = ofox_buf_add(out, r->str, r->len);
  for (i = 0; rc == 0 && h.kind == OFOX_REDIS_ARRAY && i < r->elements; i++)
    rc = add(out, r->element[i], depth + 1);
  return rc;
}

int ofox_redis_reply_add(struct ofox_buf *out, const struct redisReply *r) {
  return add(out, r, 0) == 0 ? 0 : OFOX_EMEM;
}

struct ofox_redis_value ofox_redis_reply_read(const struct ofox_buf *b,
                                              size_t *at) {
  struct ofox_redis_value v;
  struct head h;
  memcpy(&h, b->p + *at, sizeof(h));
  *at += sizeof(h);
  v.kind = h.kind;
  v.number = h.number;
  v.text = OFOX_NOSPAN;
  if (h.kind == OFOX_REDIS_TEXT || h.kind == OFOX_REDIS_ERROR) {
    v.text.p = b->p + *at;
    v.text.n = (size_t)h.number;
    *at += v.text.n;
  }
  return v;
}
