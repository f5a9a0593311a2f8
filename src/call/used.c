#include "call/used.h"

#include "call/gate.h"
#include "call/tally.h"

#define MOST 1e9 /* tokens: what is above is no count */

static double plausible(double tokens) {
  return tokens >= 0 && tokens <= MOST ? tokens : 0;
}

/* What broke off may have used more than it says: the guess stands. */
void ofox_used(struct ofox_call *c, const struct ofox_usage *u) {
  double tokens = plausible(u->input) + plausible(u->output);
  if (!(u->input >= 0 || u->output >= 0))
    return;
  ofox_tally_used(c, u);
  if (!c->failed && tokens > 0)
    ofox_gate_used(c, tokens);
}

void ofox_used_by_stream(struct ofox_call *c) {
  const struct ofox_event_queue *s = c->response.queue;
  struct ofox_usage u;
  if (s != NULL && s->usage.n > 0 &&
      ofox_usage_read(ofox_buf_span(&s->usage), &u))
    ofox_used(c, &u);
}
