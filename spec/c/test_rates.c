/*
** What windows see, beside a list of all that ended. Prints "ok". From the
** root of the clone:
**
**   make build/ctest/test_rates.ok
*/
#undef NDEBUG
#include "policy/rates.h"
#include "policy/retry.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define MANY 20000

static struct ofox_rate read_1m(const struct ofox_rates *r, double now) {
  return ofox_rates_read(r, OFOX_RATES_1M, now);
}

static void test_names(void) {
  assert(strcmp(ofox_rates_name(OFOX_RATES_1M), "1m") == 0);
  assert(strcmp(ofox_rates_name(OFOX_RATES_5M), "5m") == 0);
  assert(strcmp(ofox_rates_name(OFOX_RATES_15M), "15m") == 0);
}

static void test_empty(void) {
  static const struct ofox_rates empty;
  struct ofox_rate seen = ofox_rates_read(&empty, OFOX_RATES_15M, 1e9);
  assert(seen.ended == 0 && seen.failed == 0 && seen.ratio == 0);
}

/* One is seen until its slice and the window are over. */
static void test_one(void) {
  struct ofox_rates r;
  memset(&r, 0, sizeof(r));
  ofox_rates_add(&r, -7, 1004);
  ofox_rates_add(&r, 0, 1004);
  assert(read_1m(&r, 1004).ended == 2);
  assert(read_1m(&r, 1004).ratio == 0.5);
  assert(read_1m(&r, 1064).ended == 2);
  assert(read_1m(&r, 1065).ended == 0);
  assert(ofox_rates_read(&r, OFOX_RATES_5M, 1304).failed == 1);
  assert(ofox_rates_read(&r, OFOX_RATES_5M, 1305).failed == 0);
  assert(ofox_rates_read(&r, OFOX_RATES_15M, 1904).failed == 1);
  assert(ofox_rates_read(&r, OFOX_RATES_15M, 1905).failed == 0);
  ofox_rates_add(&r, 0, 1904); /* the last moment before it goes */
  assert(ofox_rates_read(&r, OFOX_RATES_15M, 1904).ended == 3);
  ofox_rates_add(&r, 0, 1905);
  assert(ofox_rates_read(&r, OFOX_RATES_15M, 1905).ended == 2);
}

/* A long silence forgets all; a clock that goes back loses nothing. */
static void test_jumps(void) {
  struct ofox_rates r;
  memset(&r, 0, sizeof(r));
  ofox_rates_add(&r, 1, 50);
  ofox_rates_add(&r, 0, 1e15);
  assert(ofox_rates_read(&r, OFOX_RATES_15M, 1e15).ended == 1);
  ofox_rates_add(&r, 1, 3);
  ofox_rates_add(&r, 1, -3);
  assert(read_1m(&r, 0).ended == 3);
  assert(read_1m(&r, 1e15).failed == 2);
  ofox_rates_add(&r, 0, 1e15 + 1e4);
  assert(read_1m(&r, 1e15 + 1e4).ended == 1);
}

static uint64_t within(const double *ends, int n, double since) {
  uint64_t count = 0;
  while (n > 0 && ends[--n] > since)
    count++;
  return count;
}

/* Whatever the times: all within the window, nothing a slice before it. */
static void test_many(void) {
  static const int lengths[] = {60, 300, 900};
  static double ends[MANY];
  static struct ofox_rates r;
  uint64_t seed = 5, ended;
  double now = 0, u;
  int i, w;
  for (i = 0; i < MANY; i++) {
    u = ofox_retry_random(&seed);
    now += u < 0.001 ? 1000 * u * 1000 : 3 * u;
    ends[i] = now;
    ofox_rates_add(&r, i % 4 == 0, now);
    for (w = 0; w < OFOX_RATES_NWINDOWS; w++) {
      ended = ofox_rates_read(&r, (enum ofox_rates_window)w, now).ended;
      assert(ended >= within(ends, i + 1, now - lengths[w]));
      assert(ended <= within(ends, i + 1, now - lengths[w] - 5));
    }
  }
}

int main(void) {
  test_names();
  test_empty();
  test_one();
  test_jumps();
  test_many();
  puts("ok");
  return 0;
}
