/*
** Fuzz target: calls start and end in any order, on a clock that stands, jumps
** and goes back a little. Beside it the list of all ends since it closed: it
** opens only if they say so for some length between nine tenths of the window
** and the whole, and stays closed only if they do so for some.
*/
#include "../../src/policy/breaker.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                                                               \
  do {                                                                        \
    if (!(x))                                                                 \
      abort();                                                                \
  } while (0)

#define CALLS 16
#define ENDS 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ofox_breaker_limits limits;
static struct ofox_breaker b;
static double now;
static struct {
  struct ofox_breaker_pass pass;
  int on_its_way, probe;
  unsigned term;
} all[CALLS];
static unsigned term; /* changes when it opens or closes */
static int is_open, on_their_way, succeeded;
static double until, tried;
static struct {
  double at;
  int failed;
} ends[ENDS];
static size_t n_ends;

/* Do the ends of the last 'length' seconds say that it is to open? */
static int says_open(double length) {
  int ended = 0, failed = 0;
  size_t i;
  for (i = 0; i < n_ends; i++) {
    if (ends[n_ends - 1].at - ends[i].at < length) {
      ended++;
      failed += ends[i].failed;
    }
  }
  return failed > 0 && ended >= limits.min_calls &&
         failed >= limits.ratio * ended;
}

/* 1: for all lengths, 0: for none, -1: for some. */
static int says(void) {
  double last = ends[n_ends - 1].at, length;
  int first = says_open(limits.window), any = first, every = first;
  size_t i;
  for (i = 0; i < n_ends; i++) {
    length = last - ends[i].at;
    if (length >= limits.window * 0.899 && length <= limits.window * 1.001) {
      any |= says_open(length) | says_open(length + 1e-6);
      every &= says_open(length) & says_open(length + 1e-6);
    }
  }
  return any == every ? any : -1;
}

static void change(int opened) {
  term++;
  on_their_way = succeeded = 0;
  n_ends = 0;
  is_open = opened;
  until = now + limits.open;
}

static void start(size_t i) {
  all[i].on_its_way = 1;
  all[i].term = term;
  all[i].probe = is_open;
  ofox_breaker_started(&b, &all[i].pass, now);
  if (is_open) {
    if (on_their_way + succeeded < limits.probes)
      on_their_way++;
    else
      MUST(now >= tried + limits.open);
    tried = now;
  }
}

static void end_probe(int failed) {
  if (failed) {
    change(1);
    return;
  }
  on_their_way -= on_their_way > 0;
  if (++succeeded == limits.probes)
    change(0);
}

static void end(size_t i, int failed) {
  int said, opens;
  ofox_breaker_ended(&b, &all[i].pass, failed, now);
  all[i].on_its_way = 0;
  if (all[i].term != term)
    return;
  if (all[i].probe) {
    end_probe(failed);
    return;
  }
  ends[n_ends].at =
      n_ends > 0 && ends[n_ends - 1].at > now ? ends[n_ends - 1].at : now;
  ends[n_ends++].failed = failed;
  said = says();
  opens = ofox_breaker_next(&b, now) > now || b.is_open;
  MUST(said < 0 || said == opens);
  if (opens)
    change(1);
}

static void leave(size_t i) {
  ofox_breaker_left(&b, &all[i].pass);
  all[i].on_its_way = 0;
  if (all[i].term == term && all[i].probe)
    on_their_way -= on_their_way > 0;
}

static void check(void) {
  double next = ofox_breaker_next(&b, now);
  MUST(b.is_open == is_open);
  if (!is_open)
    MUST(next == now && ofox_breaker_state(&b, now) == OFOX_BREAKER_CLOSED);
  else if (now < until)
    MUST(next == until && ofox_breaker_state(&b, now) == OFOX_BREAKER_OPEN);
  else if (on_their_way + succeeded < limits.probes)
    MUST(next == now);
  else
    MUST(next == (tried + limits.open < now ? now : tried + limits.open));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  size_t i;
  if (size < 5 || size > ENDS)
    return 0;
  limits.ratio = (data[0] % 20 + 1) / 20.0;
  limits.min_calls = data[1] % 30 + 1;
  limits.window = data[2] % 60 + 1;
  limits.open = data[3] / 8.0;
  limits.probes = data[4] % 4 + 1;
  ofox_breaker_init(&b, &limits);
  memset(all, 0, sizeof(all));
  now = 1000;
  term = 1;
  change(0);
  for (i = 5; i + 1 < size; i += 2) {
    size_t which = data[i] % CALLS;
    uint8_t x = data[i + 1];
    switch (data[i] / CALLS % 4) {
    case 0:
      now += x < 128 ? x / 32.0 : x < 250 ? x / 8.0 : -0.125;
      break;
    case 1:
    case 2:
      if (all[which].on_its_way)
        end(which, x % 2);
      else if (ofox_breaker_next(&b, now) <= now)
        start(which);
      break;
    default:
      if (all[which].on_its_way)
        leave(which);
      ofox_breaker_ended(&b, &all[which].pass, 1, now); /* twice: nothing */
    }
    check();
  }
  return 0;
}
