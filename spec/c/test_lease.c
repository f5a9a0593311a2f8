/*
** What a process has leased of limits that processes share. Prints "ok". From
** the root of the clone:
**
**   make build/ctest/test_lease.ok
*/
#undef NDEBUG
#include "policy/lease.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

static struct ofox_lease l;

/* Asks at 'now' and is answered a little later. */
static void lease(double now, double first, double second, size_t n,
                  double next) {
  double moments[2];
  moments[0] = first;
  moments[1] = second;
  ofox_lease_asked(&l, 100, now);
  ofox_lease_given(&l, moments, n, next, now + 0.01);
}

static void begin(void) {
  ofox_lease_init(&l, 0.1);
}

static int is_about(double x, double y) {
  return fabs(x - y) < 1e-9;
}

static void test_first(void) {
  begin();
  assert(ofox_lease_next(&l, 5) == 5 && ofox_lease_at(&l, 5, 3) == 5);
  assert(ofox_lease_wants(&l, 5, 0) == 0 && ofox_lease_wants(&l, 5, 4) == 4);
  assert(ofox_lease_wants(&l, 5, 5000) == OFOX_LEASE_SLOTS - 1);
  ofox_lease_asked(&l, 100, 5);
  assert(ofox_lease_wants(&l, 5, 4) == 0); /* one ask at a time */
  assert(ofox_lease_next(&l, 5) > 5.1 && ofox_lease_next(&l, 5) < 5.2);
}

static void test_given(void) {
  begin();
  lease(5, 0, 1, 2, 3);
  assert(is_about(ofox_lease_next(&l, 5.01), 5.01));
  assert(is_about(ofox_lease_at(&l, 5.01, 1), 6.01));
  assert(is_about(ofox_lease_at(&l, 5.01, 2), 8.01)); /* not before 'next' */
  assert(ofox_lease_wants(&l, 5.01, 9) == 0);         /* has enough */
  ofox_lease_started(&l, 100, 5.01);
  assert(is_about(ofox_lease_next(&l, 5.02), 6.01));
  assert(ofox_lease_wants(&l, 5.02, 9) == 8); /* the last one is near */
  assert(ofox_lease_spent(&l, 5.02) == 0 && ofox_lease_owed(&l, 5.02) == 0);
}

static void test_over(void) {
  begin();
  lease(5, 0, 1, 2, 3);
  assert(ofox_lease_next(&l, 7.5) == 7.5); /* the first is over, not this */
  ofox_lease_started(&l, 100, 7.5);
  assert(ofox_lease_spent(&l, 7.5) == 0);
  lease(8, 0, 1, 2, 3);
  ofox_lease_started(&l, 100, 11); /* both are: this one is told */
  assert(ofox_lease_spent(&l, 11) == 1 && ofox_lease_owed(&l, 11) == 100);
}

static void test_told(void) {
  begin();
  lease(5, 0, 0, 1, 3);
  ofox_lease_started(&l, 340, 5.1);
  assert(ofox_lease_owed(&l, 5.1) == 240);
  ofox_lease_started(&l, 7, 5.1);
  assert(ofox_lease_spent(&l, 5.1) == 1 && ofox_lease_owed(&l, 5.1) == 247);
  ofox_lease_asked(&l, 0, 5.2);
  ofox_lease_started(&l, 9, 5.25); /* the ask did not say so */
  ofox_lease_given(&l, NULL, 0, 0, 5.3);
  assert(ofox_lease_spent(&l, 5.3) == 1 && ofox_lease_owed(&l, 5.3) == 9);
  assert(ofox_lease_spent(&l, 300) == 0 && ofox_lease_owed(&l, 300) == 0);
  lease(400, 0, 0, 1, 3);
  ofox_lease_started(&l, 30, 400.1);
  assert(ofox_lease_owed(&l, 400.1) == -70);
  assert(ofox_lease_owed(&l, 470) == 0); /* would be taken from others */
}

static void test_none(void) {
  begin();
  lease(5, 0, 0, 0, 42);
  assert(is_about(ofox_lease_next(&l, 5.01), 17.01)); /* it asks again */
  assert(ofox_lease_wants(&l, 17, 1) == 0 && ofox_lease_wants(&l, 18, 1) == 1);
  assert(is_about(ofox_lease_at(&l, 5.01, 0), 47.01));
  lease(17.5, 0, 0, 0, 1e9); /* whatever it says: in a minute */
  assert(ofox_lease_wants(&l, 78, 1) == 1);
  lease(18, 0, 0, 0, 1);
  assert(ofox_lease_next(&l, 18.01) > 18.01); /* never in a circle */
}

static void test_silence(void) {
  double pause = 1, now = 5;
  int i;
  begin();
  for (i = 0; i < 20; i++) {
    assert(ofox_lease_wants(&l, now, 3) == 3);
    ofox_lease_asked(&l, 0, now);
    if (i > 0) /* nothing waits for a store that was silent before */
      assert(ofox_lease_next(&l, now) == now);
    if (i % 2 == 0)
      ofox_lease_failed(&l, now);
    else
      now += 0.2; /* by itself */
    assert(!ofox_lease_may_ask(&l, now) && ofox_lease_next(&l, now) == now);
    assert(ofox_lease_wants(&l, now + pause - 0.1, 3) == 0);
    now += pause + 0.1;
    pause = fmin(2 * pause, 30);
    ofox_lease_started(&l, 10, now);
  }
  assert(ofox_lease_spent(&l, now) <= 6); /* those of a minute */
  lease(now, 0, 5, 2, 9);
  assert(l.failures == 0 &&
         is_about(ofox_lease_next(&l, now + 0.01), now + 0.01));
  assert(ofox_lease_spent(&l, now + 0.01) == 0);
  ofox_lease_asked(&l, 0, now + 7);
  ofox_lease_failed(&l, now + 7);
  assert(ofox_lease_may_ask(&l, now + 8.1)); /* again from a second on */
}

/* An answer after a moment's end is none: a program may have been away. One
** that always is waits for no further ones. */
static void test_slow(void) {
  double moment = 0;
  begin();
  ofox_lease_asked(&l, 0, 5);
  ofox_lease_given(&l, &moment, 1, 0, 7.5);
  assert(l.failures == 0 && ofox_lease_wants(&l, 7.5, 1) == 1);
  ofox_lease_asked(&l, 0, 8);
  assert(ofox_lease_next(&l, 8) > 8);
  ofox_lease_given(&l, &moment, 1, 0, 10.5);
  assert(l.failures == 1 && ofox_lease_next(&l, 10.5) == 10.5);
  lease(12, 0, 0, 1, 0);
  assert(l.failures == 0 && l._n == 1);
  begin();
  ofox_lease_given(&l, &moment, 1, 0, 5); /* it was not asked */
  assert(ofox_lease_at(&l, 5, 0) == 5 && l._n == 0);
}

static void test_ahead(void) {
  int i;
  begin();
  lease(4, 0, 0, 2, 0);
  for (i = 0; i < 20; i++)
    ofox_lease_started(&l, 0, 5);
  assert(ofox_lease_wants(&l, 5, 1) == 11); /* a busy one: ten more */
  assert(ofox_lease_wants(&l, 5, 2) == 2);  /* one with a queue has it */
  assert(ofox_lease_wants(&l, 9.5, 1) == 1);
}

static void test_process(void) {
  begin();
  lease(5, 0, 1, 2, 3);
  ofox_lease_asked(&l, 0, 5.02);
  ofox_lease_enter(&l);
  assert(!l.asking && l._n == 0 && l.timeout == 0.1);
  assert(ofox_lease_wants(&l, 5.03, 1) == 1);
}

/* All places of the ring are used, again and again. */
static void test_ring(void) {
  double moments[OFOX_LEASE_SLOTS + 9], now = 1;
  size_t i;
  begin();
  for (i = 0; i < OFOX_LEASE_SLOTS + 9; i++)
    moments[i] = (double)i / 100;
  for (; now < 20; now += 1.7) {
    ofox_lease_asked(&l, 0, now);
    ofox_lease_given(&l, moments, OFOX_LEASE_SLOTS + 9, 1, now);
    assert(l._n == OFOX_LEASE_SLOTS);
    for (i = 0; i < OFOX_LEASE_SLOTS; i++) {
      assert(is_about(ofox_lease_next(&l, now), now + moments[i]));
      assert(is_about(ofox_lease_at(&l, now, 1), i == OFOX_LEASE_SLOTS - 1
                                                     ? now + 1
                                                     : now + moments[i + 1]));
      ofox_lease_started(&l, 0, now + moments[i]);
    }
  }
}

int main(void) {
  test_first();
  test_given();
  test_over();
  test_told();
  test_none();
  test_silence();
  test_slow();
  test_ahead();
  test_process();
  test_ring();
  puts("ok");
  return 0;
}
