/*
** What a process has leased of limits that processes share: moments at which
** it may start something, which a store has given it. While the store is
** silent nothing waits for it.
** Knows nothing of the store, of what is started, or of limits of the
** process's own. Moments are seconds of one clock.
*/
#ifndef OFOX_LEASE_H
#define OFOX_LEASE_H

#include <stddef.h>

#define OFOX_LEASE_SLOTS 64
/* Seconds for which a moment is good for one start; see store/ledger.lua. */
#define OFOX_LEASE_LIFE 2.0
/* Seconds by which the first moment that is asked for may be away. */
#define OFOX_LEASE_PATIENCE 30.0

/* How much was done lately. Zeroed: nothing. */
struct ofox_lease_count {
  double _since, _now, _before; /* in this span, and in the one before */
};

struct ofox_lease_slot {
  double from, until; /* it is good for a start from .. until */
  double tokens;      /* that the start was given */
};

struct ofox_lease {
  double timeout; /* in so many seconds an ask is answered, or failed */
  struct ofox_lease_slot _slots[OFOX_LEASE_SLOTS];
  size_t _first, _n;
  int asking;
  double asked;   /* the last ask */
  size_t wanted;  /* moments, by the ask on its way */
  double _tokens; /* of each moment that it wants */
  double _again;  /* no moment is given before */
  double _beyond; /* none is, but those leased */
  int _late;      /* answers in a row that came too late for all moments */
  int failures;   /* in a row */
  double silent;  /* if there are any: not to be asked before */
  struct ofox_lease_count _starts;
  /* What the store has not heard of; and of it, what came since the ask. */
  struct ofox_lease_count _spent, _spent_tokens;
  double _owed, _owed_at, _new_spent, _new_tokens, _new_owed;
};

void ofox_lease_init(struct ofox_lease *l, double timeout);
/* In another process: what its parent leased is not its own. */
void ofox_lease_enter(struct ofox_lease *l);

/*
** The earliest moment for the next start, by what is leased; or, if nothing
** is, when the store is to be asked or has to have answered: so 'now' may be
** one, too, where wants() is above 0.
*/
double ofox_lease_next(const struct ofox_lease *l, double now);
/* When the n-th of those that wait, from 0, may start; not later than it will,
** but for what others give back. */
double ofox_lease_at(const struct ofox_lease *l, double now, size_t n);

/* How many moments to ask for now, if so many wait for one, or come at once.
** 0: it has some, or may not ask. */
size_t ofox_lease_wants(struct ofox_lease *l, double now, size_t waiting);
/* May the store be asked now for other reasons? Not while it is asked, nor for
** a while after a failure. */
int ofox_lease_may_ask(struct ofox_lease *l, double now);

/* What the store has not heard yet of the last minute: starts that nothing was
** leased for; tokens of those, and by which others differ from what was
** leased, perhaps below 0. */
double ofox_lease_spent(const struct ofox_lease *l, double now);
double ofox_lease_owed(const struct ofox_lease *l, double now);

/* It was asked for moments of so many tokens each, and told what it had not
** heard. */
void ofox_lease_asked(struct ofox_lease *l, double tokens, double now);
/* What it said of that: 'n' moments, in seconds from then, in order; 'next':
** the one that would follow. */
void ofox_lease_given(struct ofox_lease *l, const double *moments, size_t n,
                      double next, double now);
/* It did not answer, or not well. */
void ofox_lease_failed(struct ofox_lease *l, double now);

/* Something starts, with so many tokens. */
void ofox_lease_started(struct ofox_lease *l, double tokens, double now);

#endif
