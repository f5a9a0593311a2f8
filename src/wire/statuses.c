#include "wire/statuses.h"

#include <stddef.h>

static const struct ofox_status_row ROWS[] = {
#define X(status, cls, retryable, ambiguous)                                  \
  {status, OFOX_CLASS_##cls, retryable, ambiguous},
    OFOX_STATUSES(X)
#undef X
};

static const struct ofox_status_row *row_of(int status) {
  size_t i, n = sizeof(ROWS) / sizeof(ROWS[0]);
  for (i = 0; i < n; i++) {
    if (ROWS[i].status == status)
      return &ROWS[i];
  }
  return NULL;
}

const struct ofox_status_row *ofox_statuses_find(int status) {
  const struct ofox_status_row *row = row_of(status);
  return row != NULL ? row : row_of(status < 500 ? 400 : 500);
}
