#include "wire/dialects/list.h"

const struct ofox_dialect *const ofox_dialects[] = {
#define X(name) &ofox_dialect_##name,
    OFOX_DIALECTS(X)
#undef X
        NULL};
