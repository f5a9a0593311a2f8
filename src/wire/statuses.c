#include "wire/statuses.h"

#include <stddef.h>

/*
** status, class, retryable, ambiguous. A 502 whose body has no text is also
** ambiguous. All other 4xx are like 400, all other 5xx like 500.
*/
static const struct ofox_status_row ROWS[] = {
    {400, OFOX_CLASS_INVALID_REQUEST, 0, 0},
    {401, OFOX_CLASS_AUTHENTICATION, 0, 0},
    {402, OFOX_CLASS_BILLING, 0, 0},
    {403, OFOX_CLASS_PERMISSION, 0, 0},
    {404, OFOX_CLASS_NOT_FOUND, 0, 0},
    {407, OFOX_CLASS_AUTHENTICATION, 0, 0},
    {408, OFOX_CLASS_TIMEOUT, 1, 1},
    {409, OFOX_CLASS_CONFLICT, 1, 0},
    {429, OFOX_CLASS_RATE_LIMIT, 1, 0},
    {500, OFOX_CLASS_INTERNAL, 1, 0},
    {501, OFOX_CLASS_INTERNAL, 0, 0},
    {502, OFOX_CLASS_UPSTREAM, 1, 0},
    {503, OFOX_CLASS_UNAVAILABLE, 1, 0},
    {504, OFOX_CLASS_TIMEOUT, 1, 1},
    {505, OFOX_CLASS_INTERNAL, 0, 0},
    {511, OFOX_CLASS_INTERNAL, 0, 0},
    {520, OFOX_CLASS_UPSTREAM, 1, 0},
    {521, OFOX_CLASS_UPSTREAM, 1, 0},
    {522, OFOX_CLASS_UPSTREAM, 1, 0},
    {523, OFOX_CLASS_UPSTREAM, 1, 0},
    {524, OFOX_CLASS_UPSTREAM, 1, 1},
    {529, OFOX_CLASS_UNAVAILABLE, 1, 0},
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
