#include "call/dead_connection.h"

int ofox_dead_connection_is(const struct ofox_call *c) {
  const struct ofox_headers *h = &c->response.head;
  if (!c->_reused)
    return 0;
  if (h->complete)
    return h->status == 408 &&
           ofox_span_ieq(ofox_headers_get(h, "connection"), "close");
  return h->status == 0 && (c->error->outcome == OFOX_OUTCOME_RESET ||
                            c->error->outcome == OFOX_OUTCOME_SEND ||
                            c->error->outcome == OFOX_OUTCOME_EMPTY_REPLY);
}
