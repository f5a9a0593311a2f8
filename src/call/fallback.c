#include "call/fallback.h"

int ofox_fallback_is_due(const struct ofox_call *c) {
  const struct ofox_error *e = c->error;
  if (c->model + 1 >= c->models)
    return 0;
  return e->cls == OFOX_CLASS_UPSTREAM || e->cls == OFOX_CLASS_UNAVAILABLE ||
         (e->cls == OFOX_CLASS_TIMEOUT &&
          e->outcome != OFOX_OUTCOME_CONNECT_TIMEOUT &&
          e->outcome != OFOX_OUTCOME_DEADLINE);
}
