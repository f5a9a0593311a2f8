#include "call/state.h"

void ofox_call_enter(struct ofox_call *c, enum ofox_call_state s, double due) {
  c->state = s;
  c->_due = due;
  ofox_note_tell(&c->note);
}

double ofox_call_deadline(const struct ofox_call *c) {
  return c->clock.call_began + c->config->limits.deadline;
}
