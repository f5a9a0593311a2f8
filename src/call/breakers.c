#include "call/breakers.h"

#include <stdlib.h>

#include "base/buf.h"

void ofox_breakers_free(struct ofox_breakers *b) {
  while (b->_n > 0)
    free(b->_list[--b->_n]);
  free(b->_list);
  b->_list = NULL;
  b->on = 0;
}

void ofox_breakers_set(struct ofox_breakers *b,
                       const struct ofox_breaker_limits *limits) {
  size_t i;
  b->on = 1;
  b->limits = *limits;
  for (i = 0; i < b->_n; i++)
    ofox_breaker_change(&b->_list[i]->breaker, limits);
}

struct ofox_breaker *ofox_breakers_find(const struct ofox_breakers *b,
                                        uint32_t model) {
  size_t i;
  for (i = 0; i < b->_n; i++) {
    if (b->_list[i]->model == model)
      return &b->_list[i]->breaker;
  }
  return NULL;
}

int ofox_breakers_add(struct ofox_breakers *b, uint32_t model) {
  struct ofox_model_breaker *fresh;
  if (ofox_breakers_find(b, model) != NULL || b->_n == OFOX_BREAKERS_MAX)
    return 0;
  if (b->_list == NULL)
    b->_list = calloc(OFOX_BREAKERS_MAX, sizeof(struct ofox_model_breaker *));
  fresh = b->_list != NULL ? malloc(sizeof(*fresh)) : NULL;
  if (fresh == NULL)
    return OFOX_EMEM;
  fresh->model = model;
  ofox_breaker_init(&fresh->breaker, &b->limits);
  b->_list[b->_n++] = fresh;
  return 0;
}
