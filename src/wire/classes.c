#include "wire/classes.h"

const struct ofox_class_row ofox_classes[OFOX_NCLASSES] = {
#define X(id, name, type, retryable) {name, type, retryable},
    OFOX_CLASSES(X)
#undef X
};

const struct ofox_outcome_row ofox_outcomes[OFOX_NOUTCOMES] = {
#define X(id, cls, code, message) {OFOX_CLASS_##cls, code, message},
    OFOX_OUTCOMES(X)
#undef X
};
