/*
** The queue of an account. Prints "ok". From the root of the clone:
**
**   make build/ctest/test_turns.ok
*/
#undef NDEBUG
#include "policy/turns.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define MANY 10000

static struct ofox_turn all[MANY];
static struct ofox_turns turns;
static uint64_t arrivals;

static void begin(void) {
  memset(all, 0, sizeof(all));
  arrivals = 0;
  ofox_turns_init(&turns, &arrivals);
}

static void take(const struct ofox_turn *expected) {
  struct ofox_turn *first = ofox_turns_first(&turns);
  assert(first == expected && ofox_turns_waits(first));
  ofox_turns_leave(&turns, first);
  assert(!ofox_turns_waits(first));
}

static void test_in_order_of_arrival(void) {
  int i;
  begin();
  assert(ofox_turns_first(&turns) == NULL);
  for (i = 0; i < MANY; i++) {
    assert(ofox_turns_before(&turns, &all[i]) == (size_t)i);
    ofox_turns_wait(&turns, &all[i]);
    assert(ofox_turns_before(&turns, &all[i]) == (size_t)i);
  }
  for (i = 0; i < MANY; i++)
    take(&all[i]);
  assert(turns.n == 0 && ofox_turns_first(&turns) == NULL);
}

/* Two that started at once came before those that wait. */
static void test_a_retry_keeps_its_place(void) {
  int i;
  begin();
  ofox_turns_arrive(&turns, &all[0]);
  ofox_turns_arrive(&turns, &all[1]);
  for (i = 2; i < 6; i++)
    ofox_turns_wait(&turns, &all[i]);
  assert(ofox_turns_before(&turns, &all[1]) == 0);
  ofox_turns_wait(&turns, &all[1]);
  ofox_turns_wait(&turns, &all[0]);
  ofox_turns_wait(&turns, &all[0]);
  ofox_turns_arrive(&turns, &all[0]);
  assert(turns.n == 6);
  for (i = 0; i < 6; i++)
    take(&all[i]);
}

static void test_cancelled(void) {
  int i;
  begin();
  for (i = 0; i < MANY; i++)
    ofox_turns_wait(&turns, &all[i]);
  for (i = 0; i < MANY; i += 2)
    ofox_turns_leave(&turns, &all[i]);
  ofox_turns_leave(&turns, &all[0]);
  assert(turns.n == MANY / 2);
  /* never too few, and exact for the first and the last */
  assert(ofox_turns_before(&turns, &all[1]) == 0);
  assert(ofox_turns_before(&turns, &all[3]) >= 1);
  assert(ofox_turns_before(&turns, &all[MANY - 1]) == MANY / 2 - 1);
  for (i = 1; i < MANY; i += 2)
    take(&all[i]);
}

/* A call goes on to another model, whose queue numbers no call twice. */
static void test_two_queues(void) {
  struct ofox_turns other;
  begin();
  ofox_turns_init(&other, &arrivals);
  ofox_turns_wait(&turns, &all[0]);
  ofox_turns_wait(&other, &all[1]);
  ofox_turns_wait(&turns, &all[2]);
  ofox_turns_leave(&other, &all[1]);
  ofox_turns_wait(&turns, &all[1]);
  take(&all[0]);
  take(&all[1]);
  take(&all[2]);
}

static void count(struct ofox_turn *turn, void *sum) {
  assert(ofox_turns_waits(turn));
  *(int *)sum += (int)(turn - all) + 1;
}

static void test_each(void) {
  int i, sum = 0, expected = 0;
  begin();
  ofox_turns_each(&turns, count, &sum);
  assert(sum == 0);
  for (i = 0; i < MANY; i++)
    ofox_turns_wait(&turns, &all[i]);
  for (i = 0; i < MANY; i += 3)
    ofox_turns_leave(&turns, &all[i]);
  for (i = 0; i < MANY; i++)
    expected += i % 3 != 0 ? i + 1 : 0;
  ofox_turns_each(&turns, count, &sum);
  assert(sum == expected);
}

int main(void) {
  test_in_order_of_arrival();
  test_a_retry_keeps_its_place();
  test_cancelled();
  test_two_queues();
  test_each();
  puts("ok");
  return 0;
}
