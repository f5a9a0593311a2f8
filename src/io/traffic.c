#include "io/traffic.h"

#include <math.h>
#include <string.h>

#include "io/forks.h"

void ofox_traffic_init(struct ofox_traffic *w) {
  w->forks = ofox_forks_passed();
  ofox_dues_init(&w->dues);
  w->looks = -INFINITY;
  w->end = &w->first;
  ofox_ready_list_init(&w->news);
  ofox_buf_init(&w->limits, (size_t)-1);
}

int ofox_traffic_is_ours(const struct ofox_traffic *w) {
  return w->forks == ofox_forks_passed();
}

/* Limits */

struct limit {
  long limit;
  size_t users;
};

static struct limit *limits(const struct ofox_traffic *w, size_t *n) {
  *n = w->limits.n / sizeof(struct limit);
  return (struct limit *)(void *)w->limits.p;
}

/* Where that limit is, or belongs. */
static size_t place_of(const struct ofox_traffic *w, long limit) {
  size_t low = 0, high;
  const struct limit *all = limits(w, &high);
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (all[middle].limit < limit)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

int ofox_traffic_limit(struct ofox_traffic *w, long limit) {
  struct limit fresh = {0, 0}, *all;
  size_t n, i = place_of(w, limit);
  all = limits(w, &n);
  if (i == n || all[i].limit != limit) {
    if (ofox_buf_add(&w->limits, &fresh, sizeof(fresh)) != 0)
      return OFOX_EMEM;
    all = limits(w, &n);
    memmove(&all[i + 1], &all[i], (n - 1 - i) * sizeof(*all));
    all[i] = fresh;
    all[i].limit = limit;
  }
  all[i].users++;
  return 0;
}

void ofox_traffic_unlimit(struct ofox_traffic *w, long limit) {
  size_t n, i = place_of(w, limit);
  struct limit *all = limits(w, &n);
  if (--all[i].users > 0)
    return;
  memmove(&all[i], &all[i + 1], (n - 1 - i) * sizeof(*all));
  w->limits.n -= sizeof(*all);
}

long ofox_traffic_least_limit(const struct ofox_traffic *w) {
  size_t n;
  const struct limit *all = limits(w, &n);
  return n == 0 ? 0 : all[0].limit;
}
