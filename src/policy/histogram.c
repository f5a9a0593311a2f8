#include "policy/histogram.h"

#include <math.h>
#include <stddef.h>

#define STEPS OFOX_HISTOGRAM_STEPS
#define LAST (OFOX_HISTOGRAM_BUCKETS - 1)

/* Seconds are counted in units of 0.01 s, so that each bound, which is one of
** these times a power of two, is the end of a bucket. The product is monotone
** and gives a power of two for a bound alone: counts at bounds are exact. */
#define PER_SECOND 100.0
#define LOWEST (-14) /* the first octave begins at 2^LOWEST units */

/* Where the buckets of an octave begin: 2^(i / STEPS - 1). */
static const double begins[STEPS] = {
    0.5,
    0.5520447568369061,
    0.6095068271022377,
    0.6729500963161781,
    0.7429971445684742,
    0.820335356007638,
    0.9057236642639066,
};
#define GROWTH 1.1040895136738123 /* from one bucket to the next */

#define AT(k) (0.01 * (double)(1 << (k)))
const double ofox_histogram_bounds[OFOX_HISTOGRAM_BOUNDS] = {
    AT(0), AT(1),  AT(2),  AT(3),  AT(4),  AT(5),  AT(6),  AT(7),  AT(8),
    AT(9), AT(10), AT(11), AT(12), AT(13), AT(14), AT(15), AT(16),
};
#undef AT

/* Bucket 1 begins after 2^LOWEST units; each has its end, not its beginning.
** Bucket 0 has what is less, the last what is more. */
static int bucket_of(double seconds) {
  int exponent, passed, bucket;
  double m = frexp(seconds * PER_SECOND, &exponent);
  passed = m > begins[3] ? 4 : 0;
  passed += m > begins[passed + 1] ? 2 : 0;
  passed += m > begins[passed];
  bucket = (exponent - 1 - LOWEST) * STEPS + passed;
  return bucket < 0 ? 0 : bucket > LAST ? LAST : bucket;
}

void ofox_histogram_add(struct ofox_histogram *h, double seconds) {
  if (!(seconds > 0))
    seconds = 0;
  if (seconds > OFOX_HISTOGRAM_MOST)
    seconds = OFOX_HISTOGRAM_MOST;
  h->_n[seconds > 0 ? bucket_of(seconds) : 0]++;
  h->count++;
  h->sum += seconds;
  if (seconds > h->max)
    h->max = seconds;
}

void ofox_histogram_add_all(struct ofox_histogram *h,
                            const struct ofox_histogram *from) {
  int i;
  for (i = 0; i <= LAST; i++)
    h->_n[i] += from->_n[i];
  h->count += from->count;
  h->sum += from->sum;
  if (from->max > h->max)
    h->max = from->max;
}

/* What stands for all durations of a bucket: as far, in proportion, from one
** end as from the other. */
static double middle(int bucket) {
  double begin = begins[(bucket - 1) % STEPS];
  int exponent = (bucket - 1) / STEPS + 1 + LOWEST;
  return ldexp(begin * 2 * GROWTH / (1 + GROWTH), exponent) / PER_SECOND;
}

double ofox_histogram_quantile(const struct ofox_histogram *h, double q) {
  double rank = ceil(q * (double)h->count), value;
  uint64_t passed = 0;
  int i = 0;
  if (rank >= (double)h->count)
    return h->max;
  while (i < LAST && (double)(passed + h->_n[i]) < (rank > 1 ? rank : 1))
    passed += h->_n[i++];
  if (i == 0)
    return 0;
  value = i < LAST ? middle(i) : h->max;
  return value < h->max ? value : h->max;
}

void ofox_histogram_cumulate(const struct ofox_histogram *h,
                             uint64_t counts[OFOX_HISTOGRAM_BOUNDS]) {
  uint64_t sum = 0;
  int i, bucket = 0;
  for (i = 0; i < OFOX_HISTOGRAM_BOUNDS; i++) {
    for (; bucket <= (i - LOWEST) * STEPS; bucket++)
      sum += h->_n[bucket];
    counts[i] = sum;
  }
}
