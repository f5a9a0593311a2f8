#include "wire/classes.h"

const struct ofox_class_row ofox_classes[OFOX_NCLASSES] = {
#define X(id, name, type, retryable) {name, type, retryable},
    OFOX_CLASSES(X)
#undef X
};
