/*
** What the calls of one account share: which of them wait, and until when none
** may start. An account is an origin and a key; each model has a lane in it.
** Knows nothing of calls, of Lua, or of who the account belongs to.
*/
#ifndef OFOX_ACCOUNT_H
#define OFOX_ACCOUNT_H

#include <stddef.h>
#include <stdint.h>

#include "call/breakers.h"
#include "policy/budget.h"
#include "policy/hold.h"
#include "policy/lease.h"
#include "policy/pace.h"
#include "policy/turns.h"

#define OFOX_ACCOUNT_LANES 64 /* models that can be held at once */

/* What other processes are to be told of a lane. */
enum ofox_news_state { OFOX_NEWS_NONE, OFOX_NEWS_KEPT, OFOX_NEWS_SENT };

struct ofox_lane_news {
  enum ofox_news_state state;
  double until; /* it is held */
  int is_probe; /* a probe was told so: whatever was said before is over */
};

struct ofox_lane {
  uint32_t model; /* a hash of its name; of the lane of all: 0 */
  struct ofox_turns turns;
  struct ofox_holdback hold;
  int is_down; /* the hold is of a service that is down, not of a limit */
  struct ofox_lane_news news;
};

struct ofox_account {
  struct ofox_lane all; /* of all models */
  struct ofox_pace pace;
  int paces;
  struct ofox_pace_limits _limits; /* those of 'pace' */
  struct ofox_budget budget;       /* of the calls that have the option */
  int budgets;
  struct ofox_breakers breakers; /* the same */
  struct ofox_lease *lease;      /* NULL: no other process shares it */
  struct ofox_lane *_lanes[OFOX_ACCOUNT_LANES];
  size_t _nlanes;
  size_t retrying;       /* calls that wait for an attempt of their own */
  uint64_t arrivals;     /* of all its lanes */
  unsigned long process; /* a number of the one that it belongs to */
};

void ofox_account_init(struct ofox_account *a);
void ofox_account_free(struct ofox_account *a); /* zeroed: fine */

/* In this process from now on. Calls of another, of which this one is a copy,
** do not wait in it, and are not on their way: what was said stays. */
void ofox_account_enter(struct ofox_account *a, unsigned long process);

/* Paces by these limits from now on. The same as before: nothing changes. 0,
** or OFOX_EMEM: then it paces as before. */
int ofox_account_pace(struct ofox_account *a,
                      const struct ofox_pace_limits *limits);

/* Retries are paid for from now on. */
void ofox_account_budget(struct ofox_account *a,
                         const struct ofox_budget_rates *rates);
/* Shares it with other processes from now on, by a store that answers within
** so many seconds. The same again: nothing changes. 0, or OFOX_EMEM. */
int ofox_account_share(struct ofox_account *a, double timeout);

/* Nothing holds a call back, and none waits. */
int ofox_account_is_quiet(const struct ofox_account *a);

/* The lanes, from 0: that of all models first; NULL: there are no more. */
struct ofox_lane *ofox_account_nth(struct ofox_account *a, size_t i);

/* The lane of a model; NULL: it has none, so nothing holds it. */
struct ofox_lane *ofox_account_lane(const struct ofox_account *a,
                                    uint32_t model);
/* The same, which there is from now on; NULL where there is no memory, or too
** many models are held. It lasts as long as the account or, if nothing holds
** it, until another model is held. */
struct ofox_lane *ofox_account_hold(struct ofox_account *a, uint32_t model,
                                    double now);

#endif
