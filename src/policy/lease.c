#include "policy/lease.h"

#include <math.h>
#include <string.h>

#define GRACE 0.05 /* seconds: who asks notices a timeout a little later */
#define PAUSE 1    /* seconds after a failure; twice as long each time */
#define LONGEST 30 /* seconds: such a pause at most */
#define MINUTE 60  /* seconds: what was before need not be told */
#define SOON                                                                  \
  1 /* seconds: the last moment is so near that more are asked for */
#define LEAST 0.01 /* seconds between two asks that gave nothing */
#define LATE                                                                  \
  2              /* answers in a row: the program itself is too slow for them \
                  */
#define MOST 1e9 /* that is told at once */

void ofox_lease_init(struct ofox_lease *l, double timeout) {
  memset(l, 0, sizeof(*l));
  l->timeout = timeout;
  l->asked = l->_again = l->_beyond = -INFINITY;
}

void ofox_lease_enter(struct ofox_lease *l) {
  int failures = l->failures;
  double silent = l->silent;
  ofox_lease_init(l, l->timeout);
  l->failures = failures;
  l->silent = silent;
}

static void count(struct ofox_lease_count *c, double amount, double span,
                  double now) {
  if (!(now < c->_since + span)) {
    c->_before = now < c->_since + 2 * span ? c->_now : 0;
    c->_now = 0;
    c->_since = now;
  }
  c->_now += amount;
}

/* In the last span, about. */
static double lately(const struct ofox_lease_count *c, double span,
                     double now) {
  double part = (now - c->_since) / span;
  if (!(part < 2))
    return 0;
  return part < 1 ? c->_now + c->_before * (1 - part) : c->_now * (2 - part);
}

static const struct ofox_lease_slot *slot(const struct ofox_lease *l,
                                          size_t i) {
  return &l->_slots[(l->_first + i) % OFOX_LEASE_SLOTS];
}

/* How many of the oldest are not good any more. */
static size_t gone(const struct ofox_lease *l, double now) {
  size_t i = 0;
  while (i < l->_n && slot(l, i)->until <= now)
    i++;
  return i;
}

static void drop(struct ofox_lease *l, size_t n) {
  l->_first = (l->_first + n) % OFOX_LEASE_SLOTS;
  l->_n -= n;
}

/* When an answer has to be there. */
static double limit(const struct ofox_lease *l) {
  return l->asked + l->timeout + GRACE;
}

static double later(double a, double b) {
  return a > b ? a : b;
}

double ofox_lease_next(const struct ofox_lease *l, double now) {
  size_t first = gone(l, now);
  if (l->failures > 0)
    return now;
  if (first < l->_n)
    return later(now, slot(l, first)->from);
  return later(now, l->asking ? limit(l) : l->_again);
}

double ofox_lease_at(const struct ofox_lease *l, double now, size_t n) {
  size_t i = gone(l, now) + n;
  if (l->failures > 0)
    return now;
  return later(now, i < l->_n ? slot(l, i)->from : l->_beyond);
}

int ofox_lease_may_ask(struct ofox_lease *l, double now) {
  if (l->asking && now < limit(l))
    return 0;
  if (l->asking)
    ofox_lease_failed(l, now);
  return l->failures == 0 || now >= l->silent;
}

size_t ofox_lease_wants(struct ofox_lease *l, double now, size_t waiting) {
  double ahead = floor(lately(&l->_starts, OFOX_LEASE_LIFE, now) / 2);
  double wanted = (double)waiting;
  drop(l, gone(l, now));
  if (l->_n > 1 || (l->_n == 1 && slot(l, 0)->from > now + SOON) ||
      now < l->_again || !ofox_lease_may_ask(l, now))
    return 0;
  if (waiting == 1)
    wanted += ahead;
  wanted = fmin(wanted - (double)l->_n, OFOX_LEASE_SLOTS - 1);
  return wanted > 0 ? (size_t)wanted : 0;
}

static int is_owed(const struct ofox_lease *l, double now) {
  return now < l->_owed_at + MINUTE;
}

double ofox_lease_spent(const struct ofox_lease *l, double now) {
  return fmin(ceil(lately(&l->_spent, MINUTE, now)), MOST);
}

double ofox_lease_owed(const struct ofox_lease *l, double now) {
  double owed = lately(&l->_spent_tokens, MINUTE, now);
  if (is_owed(l, now))
    owed += l->_owed;
  return ceil(fmax(-MOST, fmin(owed, MOST)));
}

void ofox_lease_asked(struct ofox_lease *l, double tokens, double now) {
  l->asking = 1;
  l->asked = now;
  l->_tokens = tokens;
  l->_new_owed = l->_new_spent = l->_new_tokens = 0;
}

/* The store has heard of all but what came since the ask. */
static void forget_told(struct ofox_lease *l, double now) {
  memset(&l->_spent, 0, sizeof(l->_spent));
  memset(&l->_spent_tokens, 0, sizeof(l->_spent_tokens));
  count(&l->_spent, l->_new_spent, MINUTE, now);
  count(&l->_spent_tokens, l->_new_tokens, MINUTE, now);
  l->_owed = l->_new_owed;
}

void ofox_lease_given(struct ofox_lease *l, const double *moments, size_t n,
                      double next, double now) {
  size_t i, good = 0;
  struct ofox_lease_slot s;
  if (!l->asking)
    return;
  drop(l, gone(l, now));
  for (i = 0; i < n; i++) {
    /* its clock was somewhere between the ask and the answer */
    s.from = now + moments[i];
    s.until = l->asked + moments[i] + OFOX_LEASE_LIFE;
    s.tokens = l->_tokens;
    if (l->_n == OFOX_LEASE_SLOTS || !(s.from < s.until))
      continue;
    l->_slots[(l->_first + l->_n++) % OFOX_LEASE_SLOTS] = s;
    good++;
  }
  l->_late = good > 0 || n == 0 ? 0 : l->_late + 1;
  if (l->_late >= LATE) {
    ofox_lease_failed(l, now);
    return;
  }
  l->asking = l->failures = 0;
  forget_told(l, now);
  l->_again = -INFINITY;
  if (next > 0 || n > 0)
    l->_beyond = now + next;
  if (next > 0 && n == 0)
    l->_again = now + later(fmin(next - OFOX_LEASE_PATIENCE, MINUTE), LEAST);
}

void ofox_lease_failed(struct ofox_lease *l, double now) {
  double pause = ldexp(PAUSE, l->failures < 10 ? l->failures : 10);
  l->asking = 0;
  l->failures += l->failures < 10;
  l->silent = now + fmin(pause, LONGEST);
  l->_again = l->_beyond = -INFINITY;
}

static void owe(struct ofox_lease *l, double tokens, double now) {
  if (!is_owed(l, now))
    l->_owed = 0;
  l->_owed_at = now;
  l->_owed += tokens;
  l->_new_owed += tokens;
}

void ofox_lease_started(struct ofox_lease *l, double tokens, double now) {
  drop(l, gone(l, now));
  count(&l->_starts, 1, OFOX_LEASE_LIFE, now);
  if (l->_n > 0 && slot(l, 0)->from <= now) {
    owe(l, tokens - slot(l, 0)->tokens, now);
    drop(l, 1);
    return;
  }
  count(&l->_spent, 1, MINUTE, now);
  count(&l->_spent_tokens, tokens, MINUTE, now);
  l->_new_spent++;
  l->_new_tokens += tokens;
}
