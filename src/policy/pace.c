#include "policy/pace.h"

#include <math.h>
#include <string.h>

#define MINUTE 60
#define LONGEST 1e9     /* seconds until a reset */
#define CLEARLY_LESS 10 /* seconds, than a minute */
#define MOST 1e15       /* up to here, sums of whole numbers are exact */
/* Seconds: else the last of a burst would have to wait for less than that. */
#define ROUNDING 1e-6

static double at_most(double a, double most) {
  return a < most ? a : most;
}

static double at_least(double a, double least) {
  return a > least ? a : least;
}

static int is_limit(double n) {
  return n > 0 && n < INFINITY;
}

static double whole(double amount) {
  return amount > 0 ? at_most(ceil(amount), MOST) : 0;
}

static int give(struct ofox_pace_quota *q, double a_minute, double burst,
                double slack) {
  double limit = at_least(floor(at_most(a_minute, MOST)), 1);
  q->is_known = 1;
  q->rate = a_minute / MINUTE;
  q->burst = at_least(floor(at_most(burst, limit)), 1);
  q->full = -INFINITY;
  return ofox_window_init(&q->window, limit, MINUTE + slack);
}

/* Before the first announcement there is memory, and no limit. */
static int await_words(struct ofox_pace_quota *q, double slack) {
  return ofox_window_init(&q->window, INFINITY, MINUTE + slack);
}

static int give_all(struct ofox_pace *p, const struct ofox_pace_limits *l) {
  double share = 0.1, burst = l->rpm * share;
  int bad = 0;
  if (is_limit(l->burst) && is_limit(l->rpm)) {
    burst = l->burst;
    share = at_most(burst / l->rpm, 1);
  }
  if (is_limit(l->rpm))
    bad = give(&p->quotas[OFOX_PACE_REQUESTS], l->rpm, burst, p->_slack);
  if (is_limit(l->tpm) && bad == 0)
    bad =
        give(&p->quotas[OFOX_PACE_TOKENS], l->tpm, l->tpm * share, p->_slack);
  return bad;
}

int ofox_pace_init(struct ofox_pace *p,
                   const struct ofox_pace_limits *limits) {
  int i, bad = 0;
  memset(p, 0, sizeof(*p));
  if (is_limit(limits->concurrent))
    p->concurrent = at_least(floor(limits->concurrent), 1);
  p->announced = limits->announced;
  p->_alone = limits->announced && limits->alone;
  p->_slack = is_limit(limits->slack) ? limits->slack : 0;
  p->_patience = is_limit(limits->patience) ? limits->patience : INFINITY;
  if (!p->announced)
    bad = give_all(p, limits);
  for (i = 0; i < OFOX_PACE_UNITS && p->announced && bad == 0; i++)
    bad = await_words(&p->quotas[i], p->_slack);
  if (bad != 0)
    ofox_pace_free(p);
  return bad;
}

void ofox_pace_free(struct ofox_pace *p) {
  int i;
  for (i = 0; i < OFOX_PACE_UNITS; i++)
    ofox_window_free(&p->quotas[i].window);
  memset(p, 0, sizeof(*p));
}

int ofox_pace_change(struct ofox_pace *p,
                     const struct ofox_pace_limits *limits) {
  struct ofox_pace fresh;
  int i, bad = ofox_pace_init(&fresh, limits);
  if (bad != 0)
    return bad;
  fresh.in_flight = p->in_flight;
  fresh._active = p->_active;
  fresh._started = p->_started;
  fresh._heard_of = p->_heard_of;
  for (i = 0; i < OFOX_PACE_UNITS; i++) {
    fresh.quotas[i]._all = p->quotas[i]._all;
    if (fresh.quotas[i].window._parts != NULL && p->quotas[i].is_known)
      ofox_window_carry(&fresh.quotas[i].window, &p->quotas[i].window);
  }
  ofox_pace_free(p);
  *p = fresh;
  return 0;
}

/* Each start moves the moment at which the quota would be full by what it
** costs; it may start while that is not further away than the burst allows. A
** start that costs more than a burst has to find it full. */
static double credit_at(const struct ofox_pace_quota *q, double now,
                        double before, double cost) {
  double moment = at_least(q->full, now) +
                  (before - q->burst + at_most(cost, q->burst)) / q->rate;
  return moment < now + ROUNDING ? now : moment;
}

/* Never more than a whole quota: a wrong guess is forgotten in a minute. */
static void spend(struct ofox_pace_quota *q, double cost, double now) {
  q->full = at_most(at_least(q->full, now) + cost / q->rate,
                    now + q->window.limit / q->rate);
}

static double quota_at(const struct ofox_pace *p, enum ofox_pace_unit unit,
                       double now, double n, double before, double cost) {
  const struct ofox_pace_quota *q = &p->quotas[unit];
  double credit;
  if (!q->is_known || cost == 0)
    return now;
  credit = credit_at(q, now, before, cost);
  if (p->announced)
    credit =
        at_most(credit, at_least(p->_active + p->_patience * (n + 1), now));
  return at_least(credit, ofox_window_next(&q->window, now, before, cost));
}

/* The same, if the server gives as much as it may before the reset, and all of
** it at once then: how fast it refills is not known yet. */
static double soonest_at(const struct ofox_pace *p, enum ofox_pace_unit unit,
                         double now, double n, double before, double cost) {
  const struct ofox_pace_quota *q = &p->quotas[unit];
  double at = quota_at(p, unit, now, n, before, cost), reset;
  if (!p->announced || !q->is_known || !(q->reset > now))
    return at;
  reset = q->reset + floor(at_least(before + cost - 1 - q->window.limit, 0) /
                           q->window.limit) *
                         at_most(q->window.span, MINUTE);
  return at_most(at, reset);
}

double ofox_pace_at(const struct ofox_pace *p, double now, size_t n,
                    double tokens_before, double tokens) {
  double count = (double)n;
  double a = soonest_at(p, OFOX_PACE_REQUESTS, now, count, count, 1);
  double b = soonest_at(p, OFOX_PACE_TOKENS, now, count, whole(tokens_before),
                        whole(tokens));
  return at_least(a, b);
}

double ofox_pace_next(const struct ofox_pace *p, double now, double tokens) {
  if (p->concurrent > 0 && p->in_flight >= p->concurrent)
    return INFINITY;
  if (p->_alone && p->in_flight > 0 && now < p->_active + p->_patience)
    return p->_active + p->_patience;
  return at_least(quota_at(p, OFOX_PACE_REQUESTS, now, 0, 0, 1),
                  quota_at(p, OFOX_PACE_TOKENS, now, 0, 0, whole(tokens)));
}

int ofox_pace_is_rated(const struct ofox_pace *p) {
  return p->quotas[OFOX_PACE_REQUESTS].is_known ||
         p->quotas[OFOX_PACE_TOKENS].is_known;
}

double ofox_pace_rate(const struct ofox_pace *p, enum ofox_pace_unit unit) {
  const struct ofox_pace_quota *q = &p->quotas[unit];
  if (!q->is_known)
    return 0;
  return p->announced ? q->window.limit * MINUTE / (q->window.span - p->_slack)
                      : q->rate * MINUTE;
}

static double cost_of(const struct ofox_pace_start *s, int unit) {
  return unit == OFOX_PACE_REQUESTS ? 1 : s->_tokens;
}

void ofox_pace_started(struct ofox_pace *p, struct ofox_pace_start *s,
                       double tokens, double now) {
  int i;
  ofox_pace_ended(p, s);
  s->_at = now;
  s->_tokens = whole(tokens);
  s->_number = ++p->_started;
  s->_in_flight = s->_unheard = s->_guessed = 1;
  p->in_flight++;
  p->_active = now;
  for (i = 0; i < OFOX_PACE_UNITS; i++) {
    struct ofox_pace_quota *q = &p->quotas[i];
    s->_all[i] = q->_all += cost_of(s, i);
    if (!q->is_known || cost_of(s, i) == 0)
      continue;
    spend(q, cost_of(s, i), now);
    ofox_window_add(&q->window, cost_of(s, i), now);
  }
}

/*
** The length of the window. The server's own is the time in which it would
** fill the whole quota, or more than that. Less than a minute is believed only
** after two: the last seconds of one look the same.
*/
static double span_of(struct ofox_pace_quota *q, double now) {
  if (q->_period == 0)
    q->_measured = now;
  q->_period = at_least(q->_period, at_least(q->window.limit / q->rate, 1));
  if (q->_period > CLEARLY_LESS || now < q->_measured + 2 * MINUTE)
    return MINUTE;
  return q->_period;
}

/*
** A server counts when the request comes, which may be long ago when its
** answer does: since then, quota has come back, and 'later' was started.
*/
static void announce(struct ofox_pace_quota *q,
                     const struct ofox_pace_words *said, double later,
                     double slack, double then) {
  double limit = said->limit, left, reset = said->reset;
  if (!(limit >= 1 && limit <= MOST))
    limit = q->window.limit;
  if (limit > MOST || !(said->remaining >= 0))
    return;
  limit = floor(limit);
  left = at_most(floor(said->remaining), limit);
  reset = is_limit(reset) ? at_most(reset, LONGEST) : MINUTE;
  q->burst = limit;
  q->rate = left < limit ? (limit - left) / reset : limit / MINUTE;
  ofox_window_change(&q->window, limit, q->window.span);
  if (left < limit)
    q->window.span = span_of(q, then) + slack;
  q->full = then + at_most(limit - left + later, limit) / q->rate;
  q->reset = then + reset;
}

static void announce_all(struct ofox_pace *p, const struct ofox_pace_start *s,
                         const struct ofox_pace_words *said, double now) {
  int i;
  for (i = 0; i < OFOX_PACE_UNITS; i++) {
    struct ofox_pace_quota *q = &p->quotas[i];
    double later = q->_all - s->_all[i];
    announce(q, &said[i], later, p->_slack, s->_at);
    if (!q->is_known && q->window.limit < INFINITY) {
      q->is_known = 1;
      later += i == OFOX_PACE_REQUESTS ? at_most(p->_mute, q->burst) : 0;
      ofox_window_add(&q->window, later + cost_of(s, i), now);
    }
  }
}

void ofox_pace_heard(struct ofox_pace *p, struct ofox_pace_start *s,
                     const struct ofox_pace_words said[OFOX_PACE_UNITS],
                     double now) {
  if (!s->_unheard)
    return;
  s->_unheard = 0;
  if (said == NULL) {
    s->_mute = p->_alone;
    p->_mute += p->_alone;
    return;
  }
  p->_alone = 0;
  /* an answer to an older start is older news, though it comes later */
  if (!p->announced || s->_number < p->_heard_of)
    return;
  p->_heard_of = s->_number;
  p->_active = at_least(p->_active, now);
  announce_all(p, s, said, now);
}

static void put_right(struct ofox_pace *p, const struct ofox_pace_start *s,
                      double tokens, double now) {
  struct ofox_pace_quota *q = &p->quotas[OFOX_PACE_TOKENS];
  double more = whole(tokens) - s->_tokens;
  if (!q->is_known || more == 0)
    return;
  if (more > 0)
    ofox_window_add(&q->window, more, now);
  else
    ofox_window_take_back(&q->window, -more, s->_at);
  if (p->announced) /* the server counts for itself */
    return;
  if (more > 0)
    spend(q, more, now);
  else
    q->full += more / q->rate;
}

void ofox_pace_ended(struct ofox_pace *p, struct ofox_pace_start *s) {
  if (!s->_in_flight)
    return;
  p->in_flight--;
  if (!s->_mute)
    p->_alone = 0;
  s->_in_flight = s->_unheard = s->_mute = 0;
}

void ofox_pace_used(struct ofox_pace *p, struct ofox_pace_start *s,
                    double tokens, double now) {
  if (!s->_guessed || !(tokens >= 0))
    return;
  s->_guessed = 0;
  put_right(p, s, tokens, now);
}
