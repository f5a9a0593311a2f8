#include "policy/rates.h"

#include <math.h>
#include <string.h>

#define SLICES OFOX_RATES_SLICES

static const struct {
  const char *name;
  int slices; /* beside the newest, which is not over */
} windows[] = {
#define X(id, name, seconds) {name, (seconds) / OFOX_RATES_SLICE},
    OFOX_RATES_WINDOWS(X)
#undef X
};

const char *ofox_rates_name(enum ofox_rates_window w) {
  return windows[w].name;
}

/* How many slices have begun since the newest, at most SLICES. */
static int begun(const struct ofox_rates *r, double now) {
  double n = floor(now / OFOX_RATES_SLICE) - r->_newest;
  if (!(n > 0))
    return 0;
  return n < SLICES ? (int)n : SLICES;
}

/* Where all are over, their places do not matter. */
static void advance(struct ofox_rates *r, double now) {
  int n;
  if (now < r->_over)
    return;
  n = begun(r, now);
  if (n == 0)
    return;
  r->_newest = floor(now / OFOX_RATES_SLICE);
  r->_over = (r->_newest + 1) * OFOX_RATES_SLICE;
  if (n == SLICES)
    memset(r->_slices, 0, sizeof(r->_slices));
  for (; n > 0 && n < SLICES; n--) {
    r->_at = r->_at + 1 < SLICES ? r->_at + 1 : 0;
    memset(&r->_slices[r->_at], 0, sizeof(r->_slices[0]));
  }
}

void ofox_rates_add(struct ofox_rates *r, int failed, double now) {
  advance(r, now);
  r->_slices[r->_at].ended++;
  r->_slices[r->_at].failed += failed != 0;
}

struct ofox_rate ofox_rates_read(const struct ofox_rates *r,
                                 enum ofox_rates_window w, double now) {
  struct ofox_rate sum = {0, 0, 0};
  int i, at = r->_at, n = windows[w].slices + 1 - begun(r, now);
  for (i = 0; i < n; i++) {
    sum.ended += r->_slices[at].ended;
    sum.failed += r->_slices[at].failed;
    at = at > 0 ? at - 1 : SLICES - 1;
  }
  if (sum.ended > 0)
    sum.ratio = (double)sum.failed / (double)sum.ended;
  return sum;
}
