/*
** The earlier attempts of a call: the outcome of each, and the delay after it.
** Knows nothing of what comes next.
*/
#ifndef OFOX_HISTORY_H
#define OFOX_HISTORY_H

#include "wire/classes.h"
#include "wire/headers.h"

/* An attempt that was retried. */
struct ofox_attempt {
  enum ofox_class cls;
  int status, model;
  double delay, elapsed; /* seconds: until the next one; of its own */
  enum ofox_source source;
  size_t _code, _code_n, _id, _id_n; /* into the texts */
};

struct ofox_history {
  struct ofox_buf _attempts;
  struct ofox_buf _texts;
};

void ofox_history_init(struct ofox_history *h);
void ofox_history_free(struct ofox_history *h);

/* 'a' with its err.code and request id. 0, or OFOX_EMEM: nothing was added. */
int ofox_history_add(struct ofox_history *h, struct ofox_attempt a,
                     struct ofox_span code, struct ofox_span request_id);

/* Into an empty one. 0, or OFOX_EMEM. */
int ofox_history_copy(struct ofox_history *to, const struct ofox_history *h);

size_t ofox_history_count(const struct ofox_history *h);
/* Valid until the next add. */
struct ofox_attempt *ofox_history_at(const struct ofox_history *h, size_t i);
struct ofox_span ofox_history_code(const struct ofox_history *h,
                                   const struct ofox_attempt *a);
struct ofox_span ofox_history_request_id(const struct ofox_history *h,
                                         const struct ofox_attempt *a);

/* The last one; NULL if there is none. */
struct ofox_attempt *ofox_history_last(const struct ofox_history *h);
void ofox_history_drop_last(struct ofox_history *h);

#endif
