#include "wire/outcomes.h"

const struct ofox_outcome_row ofox_outcomes[OFOX_NOUTCOMES] = {
#define X(id, cls, code, message) {OFOX_CLASS_##cls, code, message},
    OFOX_OUTCOMES(X)
#undef X
};
