/*
** A breaker. Prints "ok". From the root of the clone:
**
**   make build/ctest/test_breaker.ok
*/
#undef NDEBUG
#include "policy/breaker.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

static struct ofox_breaker b;

static void begin(double ratio, int min_calls, double window, double open,
                  int probes) {
  struct ofox_breaker_limits limits;
  limits.ratio = ratio;
  limits.min_calls = min_calls;
  limits.window = window;
  limits.open = open;
  limits.probes = probes;
  ofox_breaker_init(&b, &limits);
}

static int may(double now) {
  return ofox_breaker_next(&b, now) <= now;
}

/* A call at that moment, which takes no time. */
static void call(int failed, double now) {
  struct ofox_breaker_pass pass = {0, 0};
  assert(may(now));
  ofox_breaker_started(&b, &pass, now);
  ofox_breaker_ended(&b, &pass, failed, now);
}

static void test_opens(void) {
  int i;
  ofox_breaker_init(&b, &ofox_breaker_standard);
  for (i = 0; i < 20; i++) {
    assert(!b.is_open);
    call(i % 2, 100 + i);
  }
  assert(b.is_open && ofox_breaker_next(&b, 119) == 119 + 15);
  assert(ofox_breaker_state(&b, 133.9) == OFOX_BREAKER_OPEN && !may(133.9));
  assert(ofox_breaker_state(&b, 134) == OFOX_BREAKER_HALF_OPEN && may(134));
}

static void test_stays_closed(void) {
  int i;
  ofox_breaker_init(&b, &ofox_breaker_standard);
  for (i = 0; i < 19; i++)
    call(1, 100);
  /* they do not count with those after 30 s */
  for (i = 0; i < 19; i++)
    call(1, 130);
  assert(!b.is_open);
  for (i = 0; i < 1000; i++) /* four of ten */
    call(i % 2 == 1 && i % 10 != 9, 500 + i);
  assert(!b.is_open);
}

/* Nine tenths of the window are counted at least, and never more than it. */
static void test_window(void) {
  begin(1, 2, 10, 1, 1);
  call(1, 0.5);
  call(1, 9.5);
  assert(b.is_open);
  begin(1, 2, 10, 1, 1);
  call(1, 0);
  call(1, 10);
  assert(!b.is_open);
  call(1, 9); /* the clock goes back */
  assert(b.is_open);
}

static void test_one_probe(void) {
  struct ofox_breaker_pass first = {0, 0}, second = {0, 0};
  begin(0.5, 1, 30, 15, 1);
  call(1, 0);
  ofox_breaker_started(&b, &first, 20);
  assert(!may(20) && ofox_breaker_next(&b, 21) == 35);
  ofox_breaker_ended(&b, &first, 1, 25);
  assert(ofox_breaker_next(&b, 25) == 40);
  ofox_breaker_started(&b, &second, 40);
  ofox_breaker_ended(&b, &first, 0, 40); /* twice */
  assert(b.is_open && !may(40));
  ofox_breaker_ended(&b, &second, 0, 41);
  assert(!b.is_open && may(41));
  /* it begins anew: what was before is forgotten */
  assert(b._ended_sum == 0);
}

static void test_many_probes(void) {
  struct ofox_breaker_pass all[4] = {{0, 0}};
  int i;
  begin(0.5, 1, 30, 15, 3);
  call(1, 0);
  for (i = 0; i < 3; i++) {
    assert(may(15));
    ofox_breaker_started(&b, &all[i], 15);
  }
  assert(!may(15));
  ofox_breaker_ended(&b, &all[0], 0, 16);
  assert(!may(16)); /* three in all, not three at once */
  ofox_breaker_left(&b, &all[1]);
  ofox_breaker_left(&b, &all[1]);
  assert(may(16));
  ofox_breaker_started(&b, &all[3], 16);
  assert(!may(16));
  ofox_breaker_ended(&b, &all[2], 0, 17);
  assert(b.is_open);
  ofox_breaker_ended(&b, &all[3], 0, 17);
  assert(!b.is_open);
}

/* One that hangs keeps the others out for no longer than 'open'. */
static void test_a_probe_hangs(void) {
  struct ofox_breaker_pass hung = {0, 0}, next = {0, 0};
  begin(0.5, 1, 30, 15, 1);
  call(1, 0);
  ofox_breaker_started(&b, &hung, 15);
  assert(!may(29.9) && may(30));
  ofox_breaker_started(&b, &next, 30);
  assert(!may(30));
  ofox_breaker_left(&b, &next);
  assert(may(31));
  ofox_breaker_ended(&b, &hung, 0, 32); /* its word counts */
  assert(!b.is_open);
}

/* Calls that began before it opened tell nothing of what is now. */
static void test_stragglers(void) {
  struct ofox_breaker_pass old[5] = {{0, 0}}, probe = {0, 0};
  int i;
  begin(0.5, 1, 30, 15, 1);
  for (i = 0; i < 5; i++)
    ofox_breaker_started(&b, &old[i], 0);
  ofox_breaker_ended(&b, &old[0], 1, 1);
  assert(ofox_breaker_next(&b, 1) == 16);
  ofox_breaker_ended(&b, &old[1], 1, 9);
  assert(ofox_breaker_next(&b, 9) == 16);
  ofox_breaker_started(&b, &probe, 16);
  ofox_breaker_ended(&b, &old[2], 0, 17);
  assert(b.is_open);
  ofox_breaker_ended(&b, &old[3], 1, 17);
  ofox_breaker_ended(&b, &probe, 0, 17);
  ofox_breaker_ended(&b, &old[4], 1, 17);
  assert(!b.is_open);
  ofox_breaker_left(&b, &old[4]);
}

static void test_odd_limits(void) {
  begin(0, 0, INFINITY, INFINITY, 0);
  call(0, 1);
  assert(!b.is_open);
  call(0, 1e9);
  call(1, 1e9);
  assert(b.is_open && ofox_breaker_next(&b, 1e12) == INFINITY);
  begin(0.5, 1, 0, 0, 0);
  call(1, 1);
  assert(b.is_open && may(1));
  call(0, 1);
  assert(!b.is_open);
}

/* Other limits: what has ended counts. */
static void test_change(void) {
  struct ofox_breaker_limits l = {0.5, 10, 30, 15, 1};
  struct ofox_breaker one;
  struct ofox_breaker_pass pass;
  int i;
  ofox_breaker_init(&one, &l);
  for (i = 0; i < 3; i++) {
    ofox_breaker_started(&one, &pass, 1);
    ofox_breaker_ended(&one, &pass, 1, 1);
  }
  l.min_calls = 4;
  l.open = 5;
  ofox_breaker_change(&one, &l);
  assert(ofox_breaker_next(&one, 1) == 1);
  ofox_breaker_started(&one, &pass, 1);
  ofox_breaker_ended(&one, &pass, 1, 1);
  assert(ofox_breaker_next(&one, 1) == 6);
}

int main(void) {
  test_opens();
  test_stays_closed();
  test_window();
  test_one_probe();
  test_many_probes();
  test_a_probe_hangs();
  test_stragglers();
  test_odd_limits();
  test_change();
  puts("ok");
  return 0;
}
