/*
** Fuzz target: things are done as soon as they may be, or later, taken back
** and forced, on a clock that stands, jumps and goes back a little. Beside it
** the list of all: no window sees more than the limit, unless forced.
*/
#include "../../src/policy/window.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define MUST(x)                                                               \
  do {                                                                        \
    if (!(x))                                                                 \
      abort();                                                                \
  } while (0)

#define SPAN 60.0
#define MANY 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ofox_window w;
static double now, newest; /* the newest of all nows */
static struct { double at, amount; } done[MANY];
static size_t n;
static int merged; /* two became one, or the clock went back */

/* What was done in the 'SPAN' seconds before a moment, and at it. */
static double sum(double moment) {
  double all = 0;
  size_t i;
  for (i = 0; i < n; i++) {
    if (done[i].at + SPAN > moment && done[i].at <= moment)
      all += done[i].amount;
  }
  return all;
}

static void add(double amount) {
  ofox_window_add(&w, amount, now);
  done[n].at = now;
  done[n++].amount = amount;
}

/* Done at once, if it may. What is kept one by one is let through at the very
** moment. */
static void work(double amount) {
  double next = ofox_window_next(&w, now, 0, amount), before = sum(now);
  MUST(next >= now && next <= newest + SPAN);
  MUST(next == now || ofox_window_next(&w, next, 0, amount) == next);
  if (next > now && w._grain == 1 && amount == 1 && !merged)
    MUST(sum(next - 1e-7) + amount > w.limit);
  if (next > now)
    return;
  MUST(before + amount <= w.limit || before == 0);
  add(amount);
}

static void take_back(size_t which, double amount) {
  if (which >= n)
    return;
  if (amount > done[which].amount)
    amount = done[which].amount;
  ofox_window_take_back(&w, amount, done[which].at);
  done[which].amount -= amount;
}

/* Each before the other: as was known. */
static void look_ahead(size_t steps, double amount) {
  double known = ofox_window_next(&w, now, (double)steps * amount, amount);
  MUST(known >= now);
  if (steps > 0)
    MUST(known >=
         ofox_window_next(&w, now, (double)(steps - 1) * amount, amount) -
             (newest - now));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  size_t i;
  double limit;
  if (size < 2 || size > MANY)
    return 0;
  limit = 1 + data[0] * (data[1] % 4 == 0 ? 1 : data[1] / 8.0);
  MUST(ofox_window_init(&w, floor(limit), SPAN) == 0);
  now = newest = 1000;
  n = 0;
  merged = 0;
  for (i = 2; i + 1 < size; i += 2) {
    uint8_t x = data[i + 1];
    double next = ofox_window_next(&w, now, 0, 1);
    merged |= now < newest || w._n == w._room;
    newest = now > newest ? now : newest;
    switch (data[i] % 8) {
    case 0:
      now += x < 200 ? x / 16.0 : x < 250 ? x : -1 / 16.0;
      break;
    case 1:
      now = next;
      break;
    case 2:
      take_back(n - 1 - x % 16, data[i] / 8 + 1);
      break;
    case 3:
      look_ahead(data[i] / 8, x);
      break;
    case 4:
      work(x + 1);
      break;
    default:
      work(1 + data[i] / 64 * (x % 8));
    }
  }
  ofox_window_free(&w);
  return 0;
}
