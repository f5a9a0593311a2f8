/*
** Fuzz target: a store gives moments, late, none, or does not answer; calls
** start when they may, on a clock that stands and jumps. Beside it a list of
** all moments given: while the store answers no call starts without one that
** is its own, each is used once, and no call waits for ever.
*/
#include "../../src/policy/lease.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                                                               \
  do {                                                                        \
    if (!(x))                                                                 \
      abort();                                                                \
  } while (0)

#define MANY 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ofox_lease l;
static double now;
static struct {
  double from, until; /* by the store's own clock, which is ours */
  int used;
} all[MANY];
static size_t n, unleased, told;
static double reach; /* of the store: the last moment given */
static double asked, wanted;
static int asking;

static void ask(size_t waiting) {
  size_t k = ofox_lease_wants(&l, now, waiting);
  MUST(k < OFOX_LEASE_SLOTS);
  if (k == 0)
    return;
  told = unleased;
  ofox_lease_asked(&l, 10, now);
  asking = 1;
  asked = now;
  wanted = (double)k;
}

/* The store read the ask somewhen since. */
static void answer(uint8_t x) {
  double moments[OFOX_LEASE_SLOTS], then, next;
  size_t k = 0;
  if (!asking || !l.asking)
    return;
  then = asked + (now - asked) * (x % 4) / 3;
  next = fmax(reach + (x / 4) / 8.0, then);
  while ((double)k < wanted && n < MANY &&
         next <= then + (k == 0 ? OFOX_LEASE_PATIENCE : OFOX_LEASE_LIFE)) {
    moments[k++] = next - then;
    all[n].from = next;
    all[n].until = next + OFOX_LEASE_LIFE;
    all[n++].used = 0;
    reach = next;
    next += (x / 4) / 8.0;
  }
  ofox_lease_given(&l, moments, k, next - then, now);
  asking = 0;
  if (l.failures == 0)
    unleased -= told;
}

static int use(void) {
  size_t i;
  for (i = 0; i < n; i++) {
    if (!all[i].used && all[i].from <= now && now < all[i].until) {
      all[i].used = 1;
      return 1;
    }
  }
  return 0;
}

static void start(void) {
  double spent = l._new_spent, next = ofox_lease_next(&l, now);
  MUST(next >= now && next < now + 1e5);
  MUST(ofox_lease_at(&l, now, 0) >= now);
  if (next > now)
    return;
  ofox_lease_started(&l, 10, now);
  if (l._new_spent == spent)
    MUST(use());
  else
    unleased++;
}

static void step(uint8_t what, uint8_t x) {
  switch (what % 6) {
  case 0:
    now += x < 200 ? x / 64.0 : x;
    break;
  case 1:
    ask(x % 100);
    break;
  case 2:
    answer(x);
    break;
  case 3:
    if (l.asking && x % 4 == 0)
      ofox_lease_failed(&l, now);
    break;
  case 4:
    now = fmax(now, ofox_lease_next(&l, now));
    break;
  default:
    start();
  }
  MUST(ofox_lease_spent(&l, now) >= 0);
  MUST(ofox_lease_spent(&l, now) <= (double)unleased + MANY);
  MUST(fabs(ofox_lease_owed(&l, now)) <= 1e9);
  MUST(l._n <= OFOX_LEASE_SLOTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  size_t i;
  ofox_lease_init(&l, 0.1);
  memset(all, 0, sizeof(all));
  n = unleased = told = 0;
  now = 1000;
  reach = 0;
  asking = 0;
  for (i = 0; i + 1 < size; i += 2)
    step(data[i], data[i + 1]);
  return 0;
}
