#include "call/progress.h"

const struct ofox_headers *ofox_call_headers(const struct ofox_call *c) {
  return &c->response.head;
}

int ofox_call_is_bare_failure(const struct ofox_call *c) {
  return ofox_response_is_failure(&c->response) && c->response.body.n == 0;
}

double ofox_call_heard(const struct ofox_call *c) {
  return c->clock.byte_at;
}

int ofox_call_is_full(const struct ofox_call *c) {
  return ofox_event_queue_is_full(c->response.events);
}

int ofox_call_has_room(const struct ofox_call *c) {
  return ofox_event_queue_has_room(c->response.events);
}

int ofox_call_is_paused(const struct ofox_call *c) {
  return c->clock.paused;
}
