/*
** Which handles are kept, and for how long. Prints "ok". From the root of the
** clone:
**
**   make build/ctest/test_handles.ok
*/
#undef NDEBUG
#include "io/handles.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define MANY 300

static struct ofox_handles all;
static struct ofox_handle *taken[MANY];

/* As a request of that plan does. */
static struct ofox_handle *take(uint64_t plan) {
  struct ofox_handle *h = ofox_handles_take(&all, plan);
  assert(h != NULL && h->easy != NULL);
  if (h->plan != 0 && h->plan != plan)
    ofox_handle_reset(h);
  h->plan = plan;
  return h;
}

static void burst(uint64_t plan, int n, int *hits) {
  int i;
  *hits = 0;
  for (i = 0; i < n; i++) {
    taken[i] = ofox_handles_take(&all, plan);
    *hits += taken[i]->plan == plan && plan != 0;
    if (taken[i]->plan != plan)
      ofox_handle_reset(taken[i]);
    taken[i]->plan = plan;
  }
  for (i = 0; i < n; i++)
    ofox_handles_park(&all, taken[i], 1);
}

/* As many as were in flight stay, up to a bound, and go when they are not
** wanted for long. */
static void test_bursts(void) {
  int i, hits;
  burst(1, 64, &hits);
  assert(hits == 0 && all._idle == 64);
  burst(1, 64, &hits);
  assert(hits == 64 && all._idle == 64);
  burst(1, MANY, &hits);
  assert(hits == 64 && all._idle == 256);
  for (i = 0; i < 1000; i++)
    burst(1, 1, &hits);
  assert(hits == 1 && all._idle > 250);
  for (i = 0; i < 300; i++)
    burst(1, 1, &hits);
  assert(hits == 1 && all._idle == 16);
  ofox_handles_free(&all);
  assert(all._idle == 0);
}

/* A few plans do not take each other's handles; very many do. */
static void test_plans(void) {
  uint64_t plan;
  int round, hits, sum = 0;
  for (round = 0; round < 3; round++) {
    for (plan = 1; plan <= 16; plan++) {
      burst(plan, 1, &hits);
      assert(hits == (round > 0));
    }
  }
  for (plan = 1000; plan < 2000; plan++) {
    burst(plan, 1, &hits);
    sum += hits;
  }
  assert(sum == 0 && all._idle == 16);
  ofox_handles_free(&all);
}

/* What is not kept, or has no plan, is as fresh. */
static void test_reset(void) {
  static const char *const LINES[] = {"A: b", NULL};
  struct ofox_handle *h = take(3), *again;
  assert(ofox_header_lines_share(&h->lines, LINES, OFOX_SENDS_BYTES) == 0);
  h->fresh = 1;
  h->sends = OFOX_SENDS_BYTES;
  h->destination = h->unix_key = 5;
  h->first = h->lines.first;
  ofox_handles_park(&all, h, 0);
  again = ofox_handles_take(&all, 0);
  assert(again == h && h->plan == 0 && h->lines.first == NULL);
  assert(h->first == NULL && !h->fresh && h->sends == OFOX_SENDS_NOTHING);
  assert(h->destination == 0 && h->unix_key == 0);
  assert(ofox_header_lines_share(&h->lines, LINES, OFOX_SENDS_NOTHING) == 0);
  ofox_handles_park(&all, h, 1);
  assert(h->lines.first == NULL && h->transfer == NULL);
  ofox_handles_free(&all);
}

int main(void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  test_bursts();
  test_plans();
  test_reset();
  puts("ok");
  return 0;
}
