#define _GNU_SOURCE /* -std=c99 hides clock_gettime */
#include "io/clocks.h"

#include <time.h>

static double seconds_of(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double ofox_clocks_now(void) {
  return seconds_of(CLOCK_MONOTONIC);
}

double ofox_clocks_wall(void) {
  return seconds_of(CLOCK_REALTIME);
}
