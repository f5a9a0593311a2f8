/*
** Fuzz target: calls come, are told to wait, start or give up, on a clock that
** stands, jumps and goes back a little. Beside it a list of all that was said
** and of all starts: none is before its moment, the n-th after the last word
** is not before its second, none has to wait for longer than it was told.
*/
#include "../../src/policy/hold.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define MUST(x)                                                               \
  do {                                                                        \
    if (!(x))                                                                 \
      abort();                                                                \
  } while (0)

#define MAX 60.0

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ofox_holdback hold;
static double now;
static int held;        /* there was a word, and calls waited ever since */
static double until;    /* the latest moment said */
static double heard;    /* the last word or probe */
static unsigned starts; /* since the last word */
static double last;     /* start since there is a hold */
static double least;    /* if the last word named no time to come */
static unsigned probe;  /* the last one's number, unless a word came since */
static size_t waiting;

/* When the n-th start is due if each is on time: second by second. */
static double due(unsigned n) {
  double second = until, many = 1;
  unsigned i, started = 0;
  for (i = 0; i < n; i++) {
    if (++started >= many) {
      second += 1;
      many *= 2;
      started = 0;
    }
  }
  return second + started / many;
}

static void check_start(void) {
  if (!held) {
    MUST(ofox_hold_next(&hold, now, MAX) == now);
    MUST(ofox_hold_started(&hold, now) == 0);
    return;
  }
  if (now < until) {
    MUST(until - now > MAX && now >= heard + MAX);
    heard = now;
    probe = ofox_hold_started(&hold, now);
    MUST(probe != 0);
    return;
  }
  MUST(now >= due(starts) && (starts > 0 || now >= least));
  starts++;
  last = now;
  MUST(ofox_hold_started(&hold, now) == 0);
}

/* All that wait, each as soon as it may: as was known before. */
static void check_future(size_t n) {
  struct ofox_holdback copy = hold;
  double t = now, at;
  size_t i;
  if (hold.held && isinf(hold.until)) {
    MUST(hold.until < 0 || ofox_hold_at(&hold, now, n) == INFINITY);
    if (hold.until > 0)
      return;
  }
  for (i = 0; i < n; i++) {
    at = ofox_hold_next(&copy, t, INFINITY);
    MUST(at >= t && ofox_hold_next(&copy, at, INFINITY) == at);
    MUST(fabs(ofox_hold_at(&hold, now, i) - at) < 1e-6);
    t = at;
    MUST(ofox_hold_started(&copy, t) == 0);
  }
}

static void say(double moment) {
  ofox_hold_until(&hold, moment, now);
  if (isnan(moment))
    return;
  until = held && until > moment ? until : moment;
  last = held ? last : -INFINITY;
  least = moment <= now ? last + 1 : -INFINITY;
  held = 1;
  heard = now;
  starts = 0;
  probe = 0;
}

static void idle(void) {
  ofox_hold_idle(&hold, now);
  if (now >= until)
    held = 0;
}

static void answer(void) {
  ofox_hold_answered(&hold, probe, now);
  if (probe != 0 && held && now < until) {
    until = now;
    least = -INFINITY;
    starts = 0;
  }
  probe = 0;
}

static double moment_of(uint8_t byte) {
  if (byte == 255)
    return INFINITY;
  if (byte == 254)
    return NAN;
  if (byte == 253)
    return -INFINITY;
  if (byte >= 200)
    return now + (byte - 200) * 10;
  return now + (byte - 50) / 16.0;
}

static void arrive(void) {
  if (waiting == 0)
    idle();
  waiting++;
}

static void start_all(void) {
  while (waiting > 0 && ofox_hold_next(&hold, now, MAX) <= now) {
    check_start();
    waiting--;
  }
  if (waiting == 0)
    idle();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  size_t i;
  now = 1000;
  held = 0;
  starts = probe = 0;
  waiting = 0;
  ofox_hold_init(&hold);
  for (i = 0; i + 1 < size; i += 2) {
    uint8_t x = data[i + 1];
    switch (data[i] % 8) {
    case 0:
      now += x / 16.0;
      break;
    case 1:
      now += x;
      break;
    case 2:
      now -= x / 1024.0;
      break;
    case 3:
      say(moment_of(x));
      break;
    case 4:
      for (; x > 0; x /= 2)
        arrive();
      break;
    case 5: /* to the very moment */
      if (ofox_hold_next(&hold, now, MAX) < INFINITY)
        now = ofox_hold_next(&hold, now, MAX);
      break;
    case 6:
      answer();
      break;
    default:
      start_all();
    }
    MUST(hold.held == held);
    if (held)
      MUST(hold.until == until);
    MUST(ofox_hold_refuses(&hold, now, MAX) == (held && until - now > MAX));
    check_future(data[i] / 8u);
  }
  return 0;
}
