#include "redis/protocol.h"

static int put_head(struct ofox_buf *out, char kind, size_t n) {
  int rc = ofox_buf_addc(out, kind);
  if (rc == 0)
    rc = ofox_buf_addint(out, (long)n);
  return rc != 0 ? rc : ofox_buf_adds(out, "\r\n");
}

int ofox_redis_put_count(struct ofox_buf *out, size_t count) {
  return put_head(out, '*', count);
}

int ofox_redis_put(struct ofox_buf *out, struct ofox_span argument) {
  int rc = put_head(out, '$', argument.n);
  if (rc == 0)
    rc = ofox_buf_addspan(out, argument);
  return rc != 0 ? rc : ofox_buf_adds(out, "\r\n");
}
