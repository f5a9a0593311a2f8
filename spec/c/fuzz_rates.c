/*
** Fuzz target: ends at any times, beside a list of all of them. A window sees
** all that ended within it, and nothing that ended a slice before it. Looking
** changes nothing.
*/
#include "../../src/policy/rates.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MANY 1000
#define MUST(x)                                                               \
  do {                                                                        \
    if (!(x))                                                                 \
      abort();                                                                \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int lengths[OFOX_RATES_NWINDOWS] = {60, 300, 900};

static struct {
  double at;
  int failed;
} ends[MANY];

static void count(size_t n, double since, uint64_t *ended, uint64_t *failed) {
  *ended = *failed = 0;
  for (; n > 0 && ends[n - 1].at > since; n--) {
    ++*ended;
    *failed += (uint64_t)ends[n - 1].failed;
  }
}

static void check(const struct ofox_rates *r, size_t n, double now) {
  uint64_t ended, failed;
  struct ofox_rate seen;
  int w;
  for (w = 0; w < OFOX_RATES_NWINDOWS; w++) {
    seen = ofox_rates_read(r, (enum ofox_rates_window)w, now);
    count(n, now - lengths[w], &ended, &failed);
    MUST(seen.ended >= ended && seen.failed >= failed);
    count(n, now - lengths[w] - OFOX_RATES_SLICE, &ended, &failed);
    MUST(seen.ended <= ended && seen.failed <= failed);
    MUST(seen.failed <= seen.ended);
    if (seen.ended == 0)
      MUST(seen.ratio == 0);
    else
      MUST(seen.ratio == (double)seen.failed / (double)seen.ended);
  }
}

/* Of a byte: steps in 64ths of a second, exact, and some long ones. */
static double step(uint8_t byte) {
  if (byte < 128)
    return byte / 64.0;
  return byte < 240 ? (byte - 128) / 4.0 : (byte - 239) * 64.0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct ofox_rates r, copy;
  double now;
  size_t i, n = 0;
  if (size < 2)
    return 0;
  memset(&r, 0, sizeof(r));
  now = data[0] * 1e6 + data[1] / 64.0;
  for (i = 2; i + 1 < size && n < MANY; i += 2) {
    now += step(data[i]);
    if (data[i + 1] < 200) {
      ends[n].at = now;
      ends[n].failed = data[i + 1] % 2;
      ofox_rates_add(&r, ends[n].failed * 7, now);
      n++;
    }
    copy = r;
    check(&r, n, now);
    check(&r, n, now + data[i + 1] / 2.0);
    MUST(memcmp(&copy, &r, sizeof(r)) == 0);
  }
  return 0;
}
