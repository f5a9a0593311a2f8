/*
** How long things take: many durations in little memory, from which come
** their number, sum and maximum, quantiles, and counts below fixed bounds.
** A bucket ends a seventh of an octave after the one before it, so a quantile
** is at most 5 % off between 1 us and 1 h. A shorter one may be given as 0, a
** longer one as the maximum.
** Knows nothing of what is measured; takes no memory of its own.
*/
#ifndef OFOX_HISTOGRAM_H
#define OFOX_HISTOGRAM_H

#include <stdint.h>

/* The smallest bucket ends at 0.01 s / 2^14, the largest at 0.01 s * 2^19. */
#define OFOX_HISTOGRAM_OCTAVES 33
#define OFOX_HISTOGRAM_STEPS 7 /* buckets of an octave */
#define OFOX_HISTOGRAM_BUCKETS                                                \
  (OFOX_HISTOGRAM_OCTAVES * OFOX_HISTOGRAM_STEPS + 2)

/* Zeroed it is empty. Has no pointers: a copy is a histogram. */
struct ofox_histogram {
  uint64_t count;
  double sum, max; /* seconds */
  uint64_t _n[OFOX_HISTOGRAM_BUCKETS];
};

/* Counts one duration. NaN and what is negative count as 0, more than
** OFOX_HISTOGRAM_MOST seconds as that. */
#define OFOX_HISTOGRAM_MOST 1e9
void ofox_histogram_add(struct ofox_histogram *h, double seconds);

/* Counts in 'h' what 'from' has counted. */
void ofox_histogram_add_all(struct ofox_histogram *h,
                            const struct ofox_histogram *from);

/* The least duration that at least the part 'q' (0 to 1) of all do not
** exceed: 0.5 is the median. The largest is exact. 0 if nothing counted. */
double ofox_histogram_quantile(const struct ofox_histogram *h, double q);

/*
** Bounds in seconds, each twice the one before: 0.01, 0.02, ... 655.36. They
** are what OpenTelemetry advises for calls of models, and three more.
** ofox_histogram_cumulate gives how many durations were at most as long as
** each; that is exact, and the bounds lie in all histograms alike, so that
** counts may be added over workers.
*/
#define OFOX_HISTOGRAM_BOUNDS 17
extern const double ofox_histogram_bounds[OFOX_HISTOGRAM_BOUNDS];
void ofox_histogram_cumulate(const struct ofox_histogram *h,
                             uint64_t counts[OFOX_HISTOGRAM_BOUNDS]);

#endif
