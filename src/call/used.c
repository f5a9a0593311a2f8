#include "call/used.h"

#include "call/tally.h"

void ofox_used(struct ofox_call *c, const struct ofox_usage *u) {
  if (u->input >= 0 || u->output >= 0)
    ofox_tally_used(c, u);
}

void ofox_used_by_stream(struct ofox_call *c) {
  const struct ofox_event_queue *s = c->response.queue;
  struct ofox_usage u;
  if (s != NULL && s->usage.n > 0 &&
      ofox_usage_read(ofox_buf_span(&s->usage), &u))
    ofox_used(c, &u);
}
