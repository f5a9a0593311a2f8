#include "call/dead_connection.h"

int ofox_dead_connection_is(const struct ofox_call *c) {
  struct ofox_span v = ofox_headers_get(&c->response.head, "connection");
  if (!c->_reused)
    return 0;
  if (c->response.head.complete)
    return c->response.head.status == 408 && ofox_span_ieq(v, "close");
  return c->response.head.status == 0 &&
         (c->error.outcome == OFOX_OUTCOME_RESET ||
          c->error.outcome == OFOX_OUTCOME_SEND ||
          c->error.outcome == OFOX_OUTCOME_EMPTY_REPLY);
}
