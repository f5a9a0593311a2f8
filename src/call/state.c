#include "call/state.h"

double ofox_call_deadline(const struct ofox_call *c) {
  return c->clock.call_began + c->config->limits.deadline;
}
