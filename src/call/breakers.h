/*
** The breakers of an account: one for each model.
** Knows nothing of calls, or of what a failure is.
*/
#ifndef OFOX_BREAKERS_H
#define OFOX_BREAKERS_H

#include "policy/breaker.h"

#include <stddef.h>
#include <stdint.h>

#define OFOX_BREAKERS_MAX 64 /* models beyond are not broken */

struct ofox_model_breaker {
  uint32_t model; /* a hash of its name; 0: of calls without a model */
  struct ofox_breaker breaker;
};

/* Zeroed: there is none, and it may be freed. */
struct ofox_breakers {
  int on;
  struct ofox_breaker_limits limits;
  struct ofox_model_breaker **_list;
  size_t _n;
};

void ofox_breakers_free(struct ofox_breakers *b);

/* With these limits from now on, those that there are included. */
void ofox_breakers_set(struct ofox_breakers *b,
                       const struct ofox_breaker_limits *limits);

/* That of a model, which lasts as long as the breakers; NULL: there is none,
** so all goes. */
struct ofox_breaker *ofox_breakers_find(const struct ofox_breakers *b,
                                        uint32_t model);
/* The model has one from now on, unless too many have. 0 or OFOX_EMEM. */
int ofox_breakers_add(struct ofox_breakers *b, uint32_t model);

#endif
