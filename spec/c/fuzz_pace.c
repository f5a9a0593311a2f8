/*
** Fuzz target: starts, answers and ends by given rates or announced ones, on a
** clock that stands, jumps and goes back a little. Beside it the list of all
** starts: no minute sees too many or too many tokens, none is stopped for
** longer than there is reason to.
*/
#include "../../src/policy/pace.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                                                               \
  do {                                                                        \
    if (!(x))                                                                 \
      abort();                                                                \
  } while (0)

#define MINUTE 60.0
#define MANY 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ofox_pace_limits limits;
static struct ofox_pace p;
static double now, newest; /* the newest of all nows */
static int went_back;
static struct {
  struct ofox_pace_start start;
  double at, tokens;   /* what is known to have been used, or guessed */
  double more, learnt; /* what it used beyond the guess, and when it ended */
  int in_flight;
} all[MANY];
static size_t n, in_flight;

static size_t starts(double from, double to) {
  size_t i, count = 0;
  for (i = 0; i < n; i++)
    count += all[i].at >= from && all[i].at <= to;
  return count;
}

static double tokens_in_minute(void) {
  double sum = 0;
  size_t i;
  for (i = 0; i < n; i++) {
    if (all[i].at + MINUTE > now && all[i].at <= now)
      sum += all[i].tokens;
    if (all[i].learnt + MINUTE > now && all[i].learnt <= now)
      sum += all[i].more;
  }
  return sum;
}

/* Is there reason to start? 'before' is what was there in this minute. */
static void check_given(double tokens) {
  double sum = tokens_in_minute(), most, burst;
  size_t i, many;
  if (limits.tpm > 0 && tokens > 0)
    MUST(sum == 0 || sum + tokens <= limits.tpm);
  if (limits.concurrent > 0)
    MUST(in_flight + 1 <= limits.concurrent);
  if (limits.rpm == 0)
    return;
  most = limits.rpm < 1 ? 1 : floor(limits.rpm);
  if (n >= (size_t)most) {
    MUST(went_back || all[n - (size_t)most].at + MINUTE <= now);
    MUST((double)starts(now - MINUTE + 1e-6, now) + 1 <= most);
  }
  burst = limits.burst > 0 ? limits.burst : limits.rpm / 10;
  burst = fmax(1, fmin(floor(burst), most));
  for (i = 0; i < n && !went_back; i++) {
    many = n - i + 1; /* from that one to this */
    MUST((double)many <=
         burst + 1e-3 + (now - all[i].at + 1e-5) * limits.rpm / MINUTE);
  }
}

static void start(double tokens) {
  double next = ofox_pace_next(&p, now, tokens), longest = MINUTE;
  MUST(next >= now);
  MUST(next <=
           ofox_pace_at(&p, now, 1, tokens, tokens) + newest - now + 1e-5 ||
       next == INFINITY || limits.announced);
  MUST(next == INFINITY || ofox_pace_next(&p, next, tokens) == next);
  if (limits.rpm > 0 && limits.rpm < 1 && !limits.announced)
    longest = MINUTE / limits.rpm;
  MUST(next <= newest + longest + 1e-6 ||
       (limits.concurrent > 0 && in_flight >= limits.concurrent));
  if (next > now || n == MANY)
    return;
  if (!limits.announced)
    check_given(tokens);
  ofox_pace_started(&p, &all[n].start, tokens, now);
  all[n].at = now;
  all[n].tokens = tokens;
  all[n].learnt = -INFINITY;
  all[n++].in_flight = 1;
  in_flight++;
}

static void end(size_t i, double used) {
  if (i >= n || !all[i].in_flight)
    return;
  if (used > 100) /* it is known before the end */
    ofox_pace_used(&p, &all[i].start, used, now);
  ofox_pace_ended(&p, &all[i].start);
  ofox_pace_used(&p, &all[i].start, used, now);
  ofox_pace_ended(&p, &all[i].start); /* twice: nothing */
  if (used >= 0)
    ofox_pace_used(&p, &all[i].start, 1e9, now);
  all[i].in_flight = 0;
  in_flight--;
  if (used > all[i].tokens) {
    all[i].more = used - all[i].tokens;
    all[i].learnt = now;
  }
  else if (used >= 0) {
    all[i].tokens = used;
  }
}

static double number(uint8_t x) {
  static const double odd[] = {NAN, INFINITY, -INFINITY, -1, 1e300, 1e-300, 0};
  return x < 7 ? odd[x] : x / 8.0;
}

static void hear(size_t i, const uint8_t *x) {
  struct ofox_pace_words said[OFOX_PACE_UNITS];
  int unit;
  for (unit = 0; unit < OFOX_PACE_UNITS; unit++) {
    said[unit].limit = number(x[0]);
    said[unit].remaining = number(x[1]);
    said[unit].reset = number((uint8_t)(x[2] + unit));
  }
  if (i < n)
    ofox_pace_heard(&p, &all[i].start, x[0] == 7 ? NULL : said, now);
}

static void step(uint8_t what, const uint8_t *x) {
  double next;
  switch (what % 8) {
  case 0:
    now += *x < 200 ? *x / 16.0 : *x < 240 ? *x : -1 / 16.0;
    break;
  case 1:
    next = ofox_pace_next(&p, now, *x);
    now = next < INFINITY ? next : now;
    break;
  case 2:
    end(n - 1 - *x % 8, what / 8 * 4 - 1);
    break;
  case 3:
    hear(n - 1 - what / 8 % 4, x);
    break;
  default:
    start(*x);
  }
  went_back |= now < newest;
  newest = now > newest ? now : newest;
  MUST(p.in_flight == (double)in_flight);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  size_t i;
  if (size < 6)
    return 0;
  memset(&limits, 0, sizeof(limits));
  limits.rpm = data[0] < 8 ? data[0] / 8.0 : data[0] - 7;
  limits.tpm = data[1] * 10.0;
  limits.burst = data[2] % 32;
  limits.concurrent = data[3] % 16;
  limits.announced = data[4] % 4 == 3;
  limits.alone = data[4] / 4 % 2;
  limits.patience = 60;
  MUST(ofox_pace_init(&p, &limits) == 0);
  memset(all, 0, sizeof(all));
  now = newest = 1000;
  went_back = 0;
  n = in_flight = 0;
  for (i = 5; i + 4 < size; i += 2)
    step(data[i], data + i + 1);
  ofox_pace_free(&p);
  return 0;
}
