#include "call/account.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static void init_lane(struct ofox_account *a, struct ofox_lane *l,
                      uint32_t model) {
  l->model = model;
  ofox_turns_init(&l->turns, &a->arrivals);
  ofox_hold_init(&l->hold);
  l->is_down = 0;
  memset(&l->news, 0, sizeof(l->news));
}

void ofox_account_init(struct ofox_account *a) {
  memset(a, 0, sizeof(*a));
  init_lane(a, &a->all, 0);
}

void ofox_account_free(struct ofox_account *a) {
  while (a->_nlanes > 0)
    free(a->_lanes[--a->_nlanes]);
  ofox_pace_free(&a->pace);
  ofox_breakers_free(&a->breakers);
  a->paces = 0;
  free(a->lease);
  a->lease = NULL;
}

void ofox_account_enter(struct ofox_account *a, unsigned long process) {
  size_t i;
  if (process == a->process)
    return;
  a->process = process;
  a->pace.in_flight = 0;
  a->retrying = 0;
  if (a->lease != NULL)
    ofox_lease_enter(a->lease);
  ofox_turns_init(&a->all.turns, &a->arrivals);
  for (i = 0; i < a->_nlanes; i++)
    ofox_turns_init(&a->_lanes[i]->turns, &a->arrivals);
}

static int is_same(double x, double y) {
  return x == y || (isnan(x) && isnan(y));
}

int ofox_account_pace(struct ofox_account *a,
                      const struct ofox_pace_limits *l) {
  const struct ofox_pace_limits *old = &a->_limits;
  int rc;
  if (a->paces && is_same(l->rpm, old->rpm) && is_same(l->tpm, old->tpm) &&
      is_same(l->burst, old->burst) &&
      is_same(l->concurrent, old->concurrent) &&
      l->announced == old->announced)
    return 0;
  rc = ofox_pace_change(&a->pace, l);
  if (rc != 0)
    return rc;
  a->_limits = *l;
  a->paces = 1;
  return 0;
}

void ofox_account_budget(struct ofox_account *a,
                         const struct ofox_budget_rates *rates) {
  if (!a->budgets)
    ofox_budget_init(&a->budget, rates);
  a->budgets = 1;
}

int ofox_account_share(struct ofox_account *a, double timeout) {
  if (a->lease == NULL) {
    a->lease = malloc(sizeof(*a->lease));
    if (a->lease == NULL)
      return OFOX_EMEM;
    ofox_lease_init(a->lease, timeout);
  }
  a->lease->timeout = timeout;
  return 0;
}

int ofox_account_is_quiet(const struct ofox_account *a) {
  return a->_nlanes == 0 && !a->paces && !a->all.hold.held &&
         a->all.turns.n == 0;
}

struct ofox_lane *ofox_account_nth(struct ofox_account *a, size_t i) {
  if (i == 0)
    return &a->all;
  return i <= a->_nlanes ? a->_lanes[i - 1] : NULL;
}

struct ofox_lane *ofox_account_lane(const struct ofox_account *a,
                                    uint32_t model) {
  size_t i;
  for (i = 0; i < a->_nlanes; i++) {
    if (a->_lanes[i]->model == model)
      return a->_lanes[i];
  }
  return NULL;
}

/* A lane that nothing holds any more. */
static struct ofox_lane *idle_lane(struct ofox_account *a, double now) {
  size_t i;
  for (i = 0; i < a->_nlanes; i++) {
    struct ofox_lane *l = a->_lanes[i];
    if (l->turns.n == 0)
      ofox_hold_idle(&l->hold, now);
    if (l->turns.n == 0 && !l->hold.held)
      return l;
  }
  return NULL;
}

struct ofox_lane *ofox_account_hold(struct ofox_account *a, uint32_t model,
                                    double now) {
  struct ofox_lane *l = ofox_account_lane(a, model);
  if (l != NULL)
    return l;
  l = idle_lane(a, now);
  if (l == NULL && a->_nlanes < OFOX_ACCOUNT_LANES) {
    l = malloc(sizeof(*l));
    if (l != NULL)
      a->_lanes[a->_nlanes++] = l;
  }
  if (l != NULL)
    init_lane(a, l, model);
  return l;
}
