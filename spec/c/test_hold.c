/*
** A hold: what one answer says of all calls. Prints "ok". From the root of
** the clone:
**
**   make build/ctest/test_hold.ok
*/
#undef NDEBUG
#include "policy/hold.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#define MAX 60
#define MANY 300

static struct ofox_holdback hold;

static void begin(double moment, double now) {
  ofox_hold_init(&hold);
  ofox_hold_until(&hold, moment, now);
}

static double next(double now) {
  return ofox_hold_next(&hold, now, MAX);
}

/* The next one starts as soon as it may; when was that? */
static double start(double now) {
  double t = next(now);
  assert(next(t) == t);
  assert(ofox_hold_started(&hold, t) == 0);
  return t;
}

static void test_no_hold(void) {
  ofox_hold_init(&hold);
  assert(next(7) == 7 && ofox_hold_at(&hold, 7, 5000) == 7);
  assert(ofox_hold_started(&hold, 7) == 0);
  assert(!ofox_hold_refuses(&hold, 7, MAX));
  ofox_hold_idle(&hold, 7);
  ofox_hold_answered(&hold, 0, 7);
  ofox_hold_until(&hold, NAN, 7);
  assert(!hold.held && next(7) == 7);
}

/* One, two, four, eight: and it was known before. */
static void test_doubling(void) {
  static const double expected[] = {10,     11,    11.5,   12,    12.25,  12.5,
                                    12.75,  13,    13.125, 13.25, 13.375, 13.5,
                                    13.625, 13.75, 13.875, 14};
  double at[MANY], now = 3;
  int i;
  begin(10, 3);
  for (i = 0; i < MANY; i++)
    at[i] = ofox_hold_at(&hold, 3, (size_t)i);
  for (i = 0; i < MANY; i++) {
    now = start(now);
    assert(now == at[i]);
    if (i < (int)(sizeof(expected) / sizeof(expected[0])))
      assert(now == expected[i]);
  }
}

/* A program that was stopped in the middle does not start all at once. */
static void test_a_late_clock(void) {
  begin(10, 0);
  assert(start(500) == 500); /* one, whenever the first second begins */
  assert(next(500) == 501);
  assert(start(501) == 501 && start(501) == 501.5);
  assert(start(900) == 900); /* four from here on, and not a million */
  assert(start(900) == 900.25);
  assert(start(902.5) == 902.5 && start(902.5) == 902.625);
}

static void test_a_clock_that_stands(void) {
  int i;
  begin(10, 10);
  assert(start(10) == 10);
  for (i = 0; i < 5000; i++)
    assert(next(10) == 11);
  assert(next(9.5) == 11 && start(11) == 11 && next(10.9) == 11.5);
}

static void test_over(void) {
  begin(10, 0);
  ofox_hold_idle(&hold, 9); /* T stays, though no call waits */
  assert(next(9) == 10);
  ofox_hold_idle(&hold, 10);
  assert(next(10) == 10);
  ofox_hold_started(&hold, 10);
  assert(next(10) == 10);
  /* a single call, whose retries nothing slows down */
  begin(10, 0);
  assert(start(10) == 10);
  ofox_hold_idle(&hold, 10);
  ofox_hold_until(&hold, 10.25, 10.25);
  assert(next(10.25) == 10.25);
}

/* The latest moment counts, and each begins with one. */
static void test_told_again(void) {
  begin(10, 0);
  ofox_hold_until(&hold, 5, 1);
  assert(next(1) == 10);
  ofox_hold_until(&hold, 20, 2);
  assert(next(2) == 20);
  assert(start(20) == 20 && start(20) == 21 && start(21) == 21.5);
  ofox_hold_until(&hold, 30, 21.7);
  assert(start(22) == 30 && start(30) == 31);
  /* sooner than a second after the last: the server said so */
  ofox_hold_until(&hold, 31.5, 31.2);
  assert(start(31.5) == 31.5 && next(31.5) == 32.5);
}

/* Many answers without a time let no more start than one a second. */
static void test_told_of_the_past(void) {
  int i;
  begin(10, 0);
  assert(start(10) == 10 && start(11) == 11);
  for (i = 0; i < 80; i++)
    ofox_hold_until(&hold, i % 2 ? 11.25 : -INFINITY, 11.25);
  assert(next(11.25) == 12);
  assert(start(12) == 12);
  ofox_hold_until(&hold, 12, 12);
  assert(start(12) == 13 && start(13) == 14 && start(14) == 14.5);
  /* with no hold before it, such an answer makes no call wait */
  begin(3, 5);
  assert(start(5) == 5 && next(5) == 6);
}

static void test_refuses(void) {
  begin(1000, 100);
  assert(ofox_hold_refuses(&hold, 100, MAX) && next(100) == 1000);
  assert(next(159.9) == 1000 && next(160) == 160);
  assert(ofox_hold_started(&hold, 160) != 0);
  assert(next(160) == 1000 && next(219) == 1000 && next(220) == 220);
  assert(ofox_hold_at(&hold, 220, 1) == 1001);
  /* one that may wait longer waits, and is no probe */
  assert(!ofox_hold_refuses(&hold, 220, 1000));
  assert(ofox_hold_next(&hold, 220, 1000) == 1000);
  /* near enough, calls wait again */
  assert(!ofox_hold_refuses(&hold, 940, MAX) && next(940) == 1000);
}

static unsigned probe(double now) {
  unsigned number;
  assert(next(now) == now);
  number = ofox_hold_started(&hold, now);
  assert(number != 0);
  return number;
}

/* A probe's answer is the newest word, whatever it says. */
static void test_probes(void) {
  unsigned number;
  begin(INFINITY, 0);
  assert(ofox_hold_refuses(&hold, 1e9, MAX));
  assert(next(59) == INFINITY);
  assert(ofox_hold_at(&hold, 60, 3) == INFINITY);
  ofox_hold_answered(&hold, probe(60), 61);
  ofox_hold_until(&hold, 70, 61);
  assert(!ofox_hold_refuses(&hold, 61, MAX) && start(61) == 70);
  ofox_hold_until(&hold, 5000, 71);
  number = probe(131);
  ofox_hold_answered(&hold, number, 133);
  assert(start(133) == 133 && start(133) == 134 && start(134) == 134.5);
  ofox_hold_answered(&hold, number, 134.6); /* twice */
  assert(next(134.6) == 135);
}

/* What a probe hears counts less than what others heard after it was sent. */
static void test_a_late_probe(void) {
  unsigned late, number;
  begin(1000, 0);
  late = probe(60);
  number = probe(120);
  ofox_hold_answered(&hold, number, 121);
  ofox_hold_until(&hold, 141, 121);
  ofox_hold_answered(&hold, late, 122);
  assert(next(122) == 141);
  ofox_hold_answered(&hold, 0, 122);
  assert(next(122) == 141);
}

/* Where it doubles no more, it goes on all the same. */
static void test_for_long(void) {
  double now = 0;
  int i;
  begin(0, 0);
  for (i = 0; i < 3000; i++) {
    now = next(now + 1);
    assert(ofox_hold_at(&hold, now, 4) - now < 4);
    ofox_hold_started(&hold, now);
  }
  assert(ofox_hold_at(&hold, now, (size_t)1 << 31) - now > 1.9);
  assert(ofox_hold_at(&hold, now + 1, (size_t)1 << 30) == now + 2);
}

static void test_no_patience(void) {
  begin(10, 0);
  assert(ofox_hold_next(&hold, 0, 0) == 0);
  ofox_hold_started(&hold, 0);
  assert(ofox_hold_next(&hold, 0, 0) == 0);
}

int main(void) {
  test_no_hold();
  test_doubling();
  test_a_late_clock();
  test_a_clock_that_stands();
  test_over();
  test_told_again();
  test_told_of_the_past();
  test_refuses();
  test_probes();
  test_a_late_probe();
  test_for_long();
  test_no_patience();
  puts("ok");
  return 0;
}
