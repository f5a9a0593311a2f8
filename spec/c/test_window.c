/*
** How much was done in the last seconds. Prints "ok". From the root of the
** clone:
**
**   make build/ctest/test_window.ok
*/
#undef NDEBUG
#include "policy/window.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static struct ofox_window w;

static void begin(double limit) {
  ofox_window_free(&w);
  assert(ofox_window_init(&w, limit, 60) == 0);
}

static double next(double now, double amount) {
  return ofox_window_next(&w, now, 0, amount);
}

static void test_one_by_one(void) {
  begin(3);
  ofox_window_add(&w, 1, 0);
  ofox_window_add(&w, 1, 10);
  assert(next(20, 1) == 20);
  ofox_window_add(&w, 1, 20);
  assert(next(20, 1) == 60 && next(20, 2) == 70 && next(20, 3) == 80);
  assert(next(20, 99) == 80); /* alone */
  assert(ofox_window_next(&w, 20, 1, 1) == 70);
  assert(ofox_window_next(&w, 20, 2, 1) == 80);
  assert(ofox_window_next(&w, 20, 3, 1) == 120);
  assert(ofox_window_next(&w, 20, 301, 1) == 70 + 100 * 60);
  ofox_window_add(&w, 1, 60);
  assert(next(60, 1) == 70);
}

/* What has left is still known, as far as it is needed. */
static void test_a_clock_that_goes_back(void) {
  begin(2);
  ofox_window_add(&w, 1, 0);
  ofox_window_add(&w, 1, 0);
  ofox_window_add(&w, 1, 60);
  assert(next(59.5, 1) == 60);
  ofox_window_add(&w, 1, 60);
  assert(next(59.5, 1) == 120);
  ofox_window_add(&w, 1, 59.5); /* as if later */
  assert(next(60, 1) == 120);
}

/* Never more in a minute, and hardly less. */
static void test_a_million(void) {
  static double at[2200000];
  double now = 0;
  size_t i;
  begin(1e6);
  assert(w._room == OFOX_WINDOW_PARTS);
  for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
    at[i] = now = next(now, 1);
    ofox_window_add(&w, 1, now);
    now += i % 3 == 0 ? 0.0001 : 0;
    if (i >= 1000000)
      assert(at[i] >= at[i - 1000000] + 60);
  }
  assert(at[i - 1] < 2.1 * 60 * 1.01);
}

static void test_amounts(void) {
  begin(1000);
  ofox_window_add(&w, 5000, 0); /* more than the limit */
  assert(next(1, 1) == 60 && next(1, 1e9) == 60);
  ofox_window_add(&w, 600, 60);
  assert(next(60, 400) == 60 && next(60, 401) == 120);
  ofox_window_take_back(&w, 500, 60);
  assert(next(60, 900) == 60 && next(60, 901) == 120);
  ofox_window_take_back(&w, 500, 60); /* not more than there was */
  assert(next(60, 1000) == 60 && w._sum == 0);
}

/* Only where it was counted: elsewhere it would be missed. */
static void test_take_back(void) {
  begin(10);
  ofox_window_add(&w, 6, 0);
  ofox_window_add(&w, 4, 30);
  ofox_window_take_back(&w, 3, 31);
  assert(next(30, 1) == 60);
  ofox_window_add(&w, 6, 60);
  ofox_window_take_back(&w, 3, 0); /* has left */
  assert(next(60, 1) == 90);
  ofox_window_take_back(&w, 1, 29); /* within the part */
  assert(next(60, 1) == 60);
  begin(10); /* of several at the same moment */
  ofox_window_add(&w, 3, 0);
  ofox_window_add(&w, 3, 0);
  ofox_window_add(&w, 3, 1);
  ofox_window_take_back(&w, 5, 0);
  assert(next(1, 6) == 1 && next(1, 7) == 60 && next(1, 8) == 61);
  ofox_window_take_back(&w, 5, 0);
  assert(next(1, 7) == 1 && next(1, 8) == 61);
}

static void test_another_limit(void) {
  int i;
  begin(INFINITY);
  ofox_window_change(&w, 1000, 60);
  for (i = 0; i < 300; i++)
    ofox_window_add(&w, 1, i / 100.0);
  ofox_window_change(&w, 100, 10);
  assert(next(3, 1) >= 12 && next(3, 1) <= 12.99);
  ofox_window_change(&w, 1000, 60);
  assert(next(3, 700) == 3 && next(3, 701) > 60);
}

int main(void) {
  test_one_by_one();
  test_a_clock_that_goes_back();
  test_a_million();
  test_amounts();
  test_take_back();
  test_another_limit();
  ofox_window_free(&w);
  ofox_window_free(&w);
  puts("ok");
  return 0;
}
