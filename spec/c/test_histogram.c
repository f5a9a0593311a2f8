/*
** Durations against a sorted list of them. Prints "ok". From the root of the
** clone:
**
**   make build/ctest/test_histogram.ok
*/
#undef NDEBUG
#include "policy/histogram.h"
#include "policy/retry.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 4000

static const double bounds[] = {
    0.01, 0.02,  0.04,  0.08,  0.16,  0.32,   0.64,   1.28,   2.56,
    5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68, 655.36,
};

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void test_size(void) {
  assert(sizeof(struct ofox_histogram) <= 2048);
}

static void test_empty(void) {
  static const struct ofox_histogram empty;
  uint64_t counts[OFOX_HISTOGRAM_BOUNDS];
  int i;
  assert(ofox_histogram_quantile(&empty, 0.5) == 0);
  ofox_histogram_cumulate(&empty, counts);
  for (i = 0; i < OFOX_HISTOGRAM_BOUNDS; i++)
    assert(counts[i] == 0);
}

/* Each quantile beside the one of the list, over the whole range. */
static void test_quantiles(double lowest, double highest, uint64_t seed) {
  static const double parts[] = {0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1};
  static double list[MANY];
  static struct ofox_histogram h;
  double exact, got, sum = 0;
  size_t i, rank;
  memset(&h, 0, sizeof(h));
  for (i = 0; i < MANY; i++) {
    list[i] = lowest * pow(highest / lowest, ofox_retry_random(&seed));
    ofox_histogram_add(&h, list[i]);
    sum += list[i];
  }
  qsort(list, MANY, sizeof(list[0]), by_size);
  assert(h.count == MANY && h.sum == sum && h.max == list[MANY - 1]);
  for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    rank = (size_t)ceil(parts[i] * MANY);
    exact = list[rank > 0 ? rank - 1 : 0];
    got = ofox_histogram_quantile(&h, parts[i]);
    assert(fabs(got - exact) <= 0.05 * exact);
  }
  assert(ofox_histogram_quantile(&h, 1) == h.max);
}

/* Wherever a duration lies. */
static void test_everywhere(void) {
  struct ofox_histogram h;
  double v, got;
  for (v = 1e-6; v <= 3600; v *= 1.001) {
    memset(&h, 0, sizeof(h));
    ofox_histogram_add(&h, v);
    ofox_histogram_add(&h, 2 * v);
    got = ofox_histogram_quantile(&h, 0.5);
    assert(fabs(got - v) <= 0.05 * v);
  }
}

/* One alone is told exactly, and so is the largest of a few. */
static void test_few(void) {
  struct ofox_histogram h;
  memset(&h, 0, sizeof(h));
  ofox_histogram_add(&h, 1.7);
  assert(ofox_histogram_quantile(&h, 0.5) == 1.7);
  ofox_histogram_add(&h, 300);
  assert(fabs(ofox_histogram_quantile(&h, 0.5) - 1.7) <= 0.05 * 1.7);
  assert(ofox_histogram_quantile(&h, 0.9) == 300);
  ofox_histogram_add(&h, 300.1);
  assert(ofox_histogram_quantile(&h, 0.5) <= 300.1);
}

/* A duration at a bound is counted at it, the next longer one is not. */
static void test_bounds(void) {
  uint64_t counts[OFOX_HISTOGRAM_BOUNDS];
  struct ofox_histogram h;
  int i, k;
  assert(sizeof(bounds) / sizeof(bounds[0]) == OFOX_HISTOGRAM_BOUNDS);
  for (i = 0; i < OFOX_HISTOGRAM_BOUNDS; i++) {
    assert(ofox_histogram_bounds[i] == bounds[i]);
    memset(&h, 0, sizeof(h));
    ofox_histogram_add(&h, nextafter(bounds[i], 0));
    ofox_histogram_add(&h, bounds[i]);
    ofox_histogram_add(&h, nextafter(bounds[i], INFINITY));
    ofox_histogram_cumulate(&h, counts);
    for (k = 0; k < OFOX_HISTOGRAM_BOUNDS; k++)
      assert(counts[k] == (k < i ? 0U : k == i ? 2U : 3U));
  }
}

static void test_odd(void) {
  uint64_t counts[OFOX_HISTOGRAM_BOUNDS];
  struct ofox_histogram h;
  memset(&h, 0, sizeof(h));
  ofox_histogram_add(&h, NAN);
  ofox_histogram_add(&h, -1);
  ofox_histogram_add(&h, -INFINITY);
  ofox_histogram_add(&h, 0);
  ofox_histogram_add(&h, 5e-324);
  assert(h.count == 5 && h.sum <= 1e-300 && h.max <= 1e-300);
  assert(ofox_histogram_quantile(&h, 0.5) == 0);
  ofox_histogram_cumulate(&h, counts);
  assert(counts[0] == 5);
  memset(&h, 0, sizeof(h));
  ofox_histogram_add(&h, INFINITY);
  ofox_histogram_add(&h, 1e300);
  ofox_histogram_add(&h, 10000);
  assert(h.count == 3 && h.max == OFOX_HISTOGRAM_MOST);
  assert(h.sum == 2 * OFOX_HISTOGRAM_MOST + 10000);
  assert(ofox_histogram_quantile(&h, 0.01) == h.max);
  ofox_histogram_cumulate(&h, counts);
  assert(counts[OFOX_HISTOGRAM_BOUNDS - 1] == 0);
}

/* Two added up are one that has counted all. */
static void test_add_all(void) {
  static struct ofox_histogram all, one, two;
  uint64_t seed = 7;
  double v;
  int i;
  for (i = 0; i < MANY; i++) {
    v = (double)(1 << i % 20) * ofox_retry_random(&seed);
    v = ldexp(floor(v * 1024), -10); /* sums are exact */
    ofox_histogram_add(&all, v);
    ofox_histogram_add(i % 3 ? &one : &two, v);
  }
  ofox_histogram_add_all(&one, &two);
  assert(memcmp(&one, &all, sizeof(all)) == 0);
}

int main(void) {
  test_size();
  test_empty();
  test_quantiles(1e-6, 3600, 1);
  test_quantiles(0.2, 30, 2);
  test_quantiles(1, 1.001, 3);
  test_everywhere();
  test_few();
  test_bounds();
  test_odd();
  test_add_all();
  puts("ok");
  return 0;
}
