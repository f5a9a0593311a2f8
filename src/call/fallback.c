#include "call/fallback.h"

int ofox_fallback_has_next(const struct ofox_call *c) {
  return c->model + 1 < c->models - (int)c->hedge_model;
}

int ofox_fallback_is_hedge(const struct ofox_call *c) {
  return c->hedge_model && c->model == c->models - 1;
}

int ofox_fallback_is_due(const struct ofox_call *c) {
  const struct ofox_error *e = c->error;
  if (!ofox_fallback_has_next(c))
    return 0;
  return e->cls == OFOX_CLASS_UPSTREAM || e->cls == OFOX_CLASS_UNAVAILABLE ||
         (e->cls == OFOX_CLASS_TIMEOUT &&
          e->outcome != OFOX_OUTCOME_CONNECT_TIMEOUT &&
          e->outcome != OFOX_OUTCOME_DEADLINE);
}

void ofox_fallback_move(struct ofox_call *c) {
  int next = (int)c->next_model;
  if (ofox_fallback_is_due(c) && !c->fresh)
    c->model++;
  if (ofox_fallback_is_hedge(c) || next > c->model)
    c->model = next;
}
