#include "wire/dialects/list.h"

const struct ofox_dialect *const ofox_dialects[] = {
#define X(name) &ofox_dialect_##name,
    OFOX_DIALECTS(X)
#undef X
        NULL};

int ofox_usage_rank(struct ofox_span name) {
  int i;
  for (i = 0; ofox_dialects[i] != NULL; i++) {
    const char *usage = ofox_dialects[i]->usage;
    if (name.n > 0 && *usage == *name.p && ofox_span_eq(name, usage))
      return i + 1;
  }
  return 0;
}
