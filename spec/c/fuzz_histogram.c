/*
** Fuzz target: any doubles as durations, in two histograms that are added up,
** beside a sorted list of them.
*/
#include "../../src/policy/histogram.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MANY 512
#define MUST(x)                                                               \
  do {                                                                        \
    if (!(x))                                                                 \
      abort();                                                                \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is counted for a duration. */
static double counted(double v) {
  if (!(v > 0))
    return 0;
  return v < OFOX_HISTOGRAM_MOST ? v : OFOX_HISTOGRAM_MOST;
}

/* Of nine bytes: any double, one of the range that is told apart, a bound, or
** what lies beside one. */
static double duration(const uint8_t *p) {
  double bound = ofox_histogram_bounds[p[1] % OFOX_HISTOGRAM_BOUNDS], any;
  memcpy(&any, p + 1, sizeof(any));
  switch (*p % 5) {
  case 0:
    return any;
  case 1:
    return bound;
  case 2:
    return nextafter(bound, p[2] % 2 ? 0 : INFINITY);
  default:
    return ldexp(1 + p[1] / 256.0 + p[2] / 65536.0, p[3] % 33 - 20);
  }
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void check_bounds(const struct ofox_histogram *h, const double *list,
                         size_t n) {
  uint64_t counts[OFOX_HISTOGRAM_BOUNDS];
  size_t k, i;
  ofox_histogram_cumulate(h, counts);
  for (k = 0; k < OFOX_HISTOGRAM_BOUNDS; k++) {
    for (i = 0; i < n && list[i] <= ofox_histogram_bounds[k]; i++)
      ;
    MUST(counts[k] == i);
  }
}

static void check_quantile(const struct ofox_histogram *h, const double *list,
                           size_t n, double q) {
  double exact, got = ofox_histogram_quantile(h, q);
  size_t rank = (size_t)ceil(q * (double)n);
  exact = list[rank > 0 ? rank - 1 : 0];
  MUST(got >= 0 && got <= h->max);
  if (exact < 1e-6)
    MUST(got <= 1.05e-6);
  else if (exact <= 3600)
    MUST(fabs(got - exact) <= 0.05 * exact);
  else
    MUST(got >= 3600 * 0.95);
}

static void check(const struct ofox_histogram *h, double *list, size_t n) {
  double sum = 0;
  size_t i;
  qsort(list, n, sizeof(*list), by_size);
  for (i = 0; i < n; i++)
    sum += list[i];
  MUST(h->count == n && h->max == list[n - 1]);
  MUST(fabs(h->sum - sum) <= 1e-9 * sum);
  for (i = 0; i <= 100; i++)
    check_quantile(h, list, n, (double)i / 100);
  check_bounds(h, list, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static double list[MANY];
  struct ofox_histogram one, two;
  size_t i, n = size / 9;
  if (n > MANY)
    n = MANY;
  if (n == 0)
    return 0;
  memset(&one, 0, sizeof(one));
  memset(&two, 0, sizeof(two));
  for (i = 0; i < n; i++) {
    list[i] = duration(data + 9 * i);
    ofox_histogram_add(data[9 * i] & 64 ? &one : &two, list[i]);
    list[i] = counted(list[i]);
  }
  ofox_histogram_add_all(&one, &two);
  check(&one, list, n);
  return 0;
}
