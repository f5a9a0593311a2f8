/*
** How many ended in the last minute, five and fifteen minutes, and how many of
** them failed.
** Knows nothing of what ends; takes no memory of its own.
*/
#ifndef OFOX_RATES_H
#define OFOX_RATES_H

#include <stdint.h>

#define OFOX_RATES_SLICE 5 /* seconds that are counted together */
#define OFOX_RATES_SLICES (15 * 60 / OFOX_RATES_SLICE + 1)

/* id, name in client:stats().error_rate, seconds */
#define OFOX_RATES_WINDOWS(X)                                                 \
  X(1M, "1m", 60)                                                             \
  X(5M, "5m", 300)                                                            \
  X(15M, "15m", 900)

enum ofox_rates_window {
#define X(id, name, seconds) OFOX_RATES_##id,
  OFOX_RATES_WINDOWS(X)
#undef X
      OFOX_RATES_NWINDOWS
};

const char *ofox_rates_name(enum ofox_rates_window w);

struct ofox_rate {
  uint64_t ended, failed;
  double ratio; /* of those that failed; 0 where none ended */
};

/* Zeroed it is empty. */
struct ofox_rates {
  double _newest; /* number of the newest slice, counted from time 0 */
  double _over;   /* when it will be over; 0: not known */
  int _at;        /* its place; those before it are older */
  struct {
    uint32_t ended, failed;
  } _slices[OFOX_RATES_SLICES];
};

/* One has ended. 'now' >= 0 is monotone; if it goes back, the newest moment
** there was stands for it. */
void ofox_rates_add(struct ofox_rates *r, int failed, double now);

/* What a window sees. It is at most a slice too long: all that ended within
** it counts, nothing that ended a slice before it. */
struct ofox_rate ofox_rates_read(const struct ofox_rates *r,
                                 enum ofox_rates_window w, double now);

#endif
