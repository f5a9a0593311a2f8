#include "policy/breaker.h"

#include <math.h>
#include <string.h>

#define SLICES OFOX_BREAKER_SLICES

const struct ofox_breaker_limits ofox_breaker_standard = {0.5, 20, 30, 15, 1};

void ofox_breaker_change(struct ofox_breaker *b,
                         const struct ofox_breaker_limits *limits) {
  b->limits = *limits;
  if (b->limits.min_calls < 1)
    b->limits.min_calls = 1;
  if (b->limits.probes < 1)
    b->limits.probes = 1;
}

void ofox_breaker_init(struct ofox_breaker *b,
                       const struct ofox_breaker_limits *limits) {
  memset(b, 0, sizeof(*b));
  ofox_breaker_change(b, limits);
  b->_term = 1;
  b->_since = -INFINITY;
}

static void forget(struct ofox_breaker *b) {
  memset(b->_ended, 0, sizeof(b->_ended));
  memset(b->_failed, 0, sizeof(b->_failed));
  b->_ended_sum = b->_failed_sum = 0;
}

/* Another term; 0 is that of a pass that is not in use. */
static void begin_term(struct ofox_breaker *b) {
  if (++b->_term == 0)
    b->_term = 1;
  b->_trying = b->_succeeded = 0;
  forget(b);
}

/* The slice of now. A clock that goes back stays in the present one. */
static void turn_to(struct ofox_breaker *b, double now) {
  double slice = b->limits.window / SLICES;
  double passed = (now - b->_since) / slice;
  int n;
  if (!(passed < SLICES)) {
    forget(b);
    b->_since = now;
    return;
  }
  for (n = passed >= 1 ? (int)passed : 0; n > 0; n--) {
    b->_slice = (b->_slice + 1) % SLICES;
    b->_since += slice;
    b->_ended_sum -= b->_ended[b->_slice];
    b->_failed_sum -= b->_failed[b->_slice];
    b->_ended[b->_slice] = b->_failed[b->_slice] = 0;
  }
}

static void open_it(struct ofox_breaker *b, double now) {
  begin_term(b);
  b->is_open = 1;
  b->until = now + b->limits.open;
}

enum ofox_breaker_state ofox_breaker_state(const struct ofox_breaker *b,
                                           double now) {
  if (!b->is_open)
    return OFOX_BREAKER_CLOSED;
  return now < b->until ? OFOX_BREAKER_OPEN : OFOX_BREAKER_HALF_OPEN;
}

double ofox_breaker_next(const struct ofox_breaker *b, double now) {
  double stale;
  if (!b->is_open)
    return now;
  if (now < b->until)
    return b->until;
  stale = b->_tried + b->limits.open;
  if (b->_trying + b->_succeeded < b->limits.probes || stale < now)
    return now;
  return stale;
}

/*
** A probe that hangs is not counted as on its way any more when another takes
** its place, but its word is heard all the same.
*/
void ofox_breaker_started(struct ofox_breaker *b,
                          struct ofox_breaker_pass *pass, double now) {
  pass->_term = b->_term;
  pass->_probe = b->is_open && now >= b->until;
  if (pass->_probe) {
    if (b->_trying + b->_succeeded < b->limits.probes)
      b->_trying++;
    b->_tried = now;
  }
  else if (b->is_open) {
    pass->_term = 0;
  }
}

/* Is the word of this pass heard? It is only once. */
static int use(const struct ofox_breaker *b, struct ofox_breaker_pass *pass) {
  int heard = pass->_term == b->_term;
  pass->_term = 0;
  return heard;
}

static void end_probe(struct ofox_breaker *b, int failed, double now) {
  if (failed) {
    open_it(b, now);
    return;
  }
  if (b->_trying > 0)
    b->_trying--;
  if (++b->_succeeded >= b->limits.probes) {
    begin_term(b);
    b->is_open = 0;
  }
}

void ofox_breaker_ended(struct ofox_breaker *b, struct ofox_breaker_pass *pass,
                        int failed, double now) {
  if (!use(b, pass))
    return;
  if (pass->_probe) {
    end_probe(b, failed, now);
    return;
  }
  turn_to(b, now);
  b->_ended[b->_slice]++;
  b->_failed[b->_slice] += failed != 0;
  b->_ended_sum++;
  b->_failed_sum += failed != 0;
  if (b->_failed_sum > 0 &&
      b->_ended_sum >= (unsigned long)b->limits.min_calls &&
      (double)b->_failed_sum >= b->limits.ratio * (double)b->_ended_sum)
    open_it(b, now);
}

void ofox_breaker_left(struct ofox_breaker *b,
                       struct ofox_breaker_pass *pass) {
  if (use(b, pass) && pass->_probe && b->_trying > 0)
    b->_trying--;
}
