#include "policy/hold.h"

#include <math.h>
#include <string.h>

#define DOUBLINGS 30 /* beyond 2^30 a second, no hold is left to be seen */

void ofox_hold_init(struct ofox_holdback *h) {
  memset(h, 0, sizeof(*h));
}

static double later(double a, double b) {
  return a > b ? a : b;
}

/* The first second begins, with one start not before 'from'. */
static void begin(struct ofox_holdback *h, double from) {
  h->held = 1;
  h->_second = from;
  h->_doubled = 0;
  h->_starts = 0;
}

void ofox_hold_until(struct ofox_holdback *h, double moment, double now) {
  double from;
  if (isnan(moment))
    return;
  if (!h->held) {
    h->until = moment;
    h->_last = -INFINITY;
  }
  h->until = later(h->until, moment);
  if (++h->_said == 0)
    h->_said = 1;
  h->_looked = now;
  from = h->until;
  /* else each of many such answers would start one more at once */
  if (moment <= now)
    from = later(from, h->_last + 1);
  begin(h, from);
}

void ofox_hold_idle(struct ofox_holdback *h, double now) {
  if (now >= h->until)
    h->held = 0;
}

int ofox_hold_refuses(const struct ofox_holdback *h, double now, double max) {
  return h->held && h->until - now > max;
}

double ofox_hold_next(const struct ofox_holdback *h, double now, double max) {
  if (ofox_hold_refuses(h, now, max) && now >= h->_looked + max)
    return now;
  return ofox_hold_at(h, now, 0);
}

double ofox_hold_at(const struct ofox_holdback *h, double now, size_t n) {
  double second = h->_second, before = h->_starts + (double)n, many;
  int doubled = h->_doubled;
  if (!h->held)
    return now;
  if (h->_starts == 0) {
    second = later(second, now);
  }
  else if (now >= second + 1) { /* what it had left is lost */
    second = now;
    before = (double)n;
    doubled += doubled < DOUBLINGS;
  }
  many = ldexp(1, doubled);
  for (; before >= many && doubled < DOUBLINGS; doubled++) {
    before -= many;
    second += 1;
    many *= 2;
  }
  second += floor(before / many); /* where it doubles no more */
  return later(now, second + fmod(before, many) / many);
}

unsigned ofox_hold_started(struct ofox_holdback *h, double now) {
  if (!h->held)
    return 0;
  if (now < h->until) {
    h->_looked = now;
    return h->_said;
  }
  if (h->_starts == 0) {
    h->_second = later(h->_second, now);
  }
  else if (h->_starts >= ldexp(1, h->_doubled) || now >= h->_second + 1) {
    h->_second = later(h->_second + 1, now);
    h->_starts = 0;
    if (h->_doubled < DOUBLINGS)
      h->_doubled++;
  }
  h->_starts++;
  h->_last = now;
  return 0;
}

void ofox_hold_answered(struct ofox_holdback *h, unsigned probe, double now) {
  if (!h->held || now >= h->until || probe != h->_said)
    return;
  h->until = now;
  begin(h, now);
}
