/*
** What retries may cost. Prints "ok". From the root of the clone:
**
**   make build/ctest/test_budget.ok
*/
#undef NDEBUG
#include "policy/budget.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>

static void test_standard(void) {
  struct ofox_budget b;
  int i, price = 0;
  ofox_budget_init(&b, &ofox_budget_standard);
  assert(b.left == 500);
  for (i = 0; i < 100; i++)
    assert(ofox_budget_pay(&b, 0, &price) == 1 && price == 5);
  price = 7;
  assert(b.left == 0);
  assert(ofox_budget_pay(&b, 0, &price) == 0 && price == 7);
  ofox_budget_succeeded(&b, 5);
  assert(b.left == 5);
  assert(ofox_budget_pay(&b, 1, &price) == 0 && b.left == 5);
  for (i = 0; i < 5; i++)
    ofox_budget_succeeded(&b, -1);
  assert(ofox_budget_pay(&b, 1, &price) == 1 && price == 10 && b.left == 0);
  ofox_budget_return(&b, 10);
  assert(b.left == 10);
}

static void test_never_above_its_capacity(void) {
  struct ofox_budget b;
  ofox_budget_init(&b, &ofox_budget_standard);
  ofox_budget_succeeded(&b, -1);
  assert(b.left == 500);
  assert(ofox_budget_pay(&b, 0, NULL) == 1 && b.left == 495);
  ofox_budget_succeeded(&b, 10);
  assert(b.left == 500);
  ofox_budget_pay(&b, 1, NULL);
  ofox_budget_return(&b, INT_MAX);
  assert(b.left == 500);
  ofox_budget_return(&b, INT_MIN);
  assert(b.left == 500);
}

static void test_odd_rates(void) {
  static const struct ofox_budget_rates none = {0, 5, 10, 1};
  static const struct ofox_budget_rates negative = {INT_MIN, -1, -1, -1};
  static const struct ofox_budget_rates great = {INT_MAX, INT_MAX, 0, INT_MAX};
  struct ofox_budget b;
  int price;
  ofox_budget_init(&b, &none);
  assert(!ofox_budget_pay(&b, 0, NULL));
  ofox_budget_succeeded(&b, -1);
  assert(b.left == 0);
  ofox_budget_init(&b, &negative);
  assert(ofox_budget_pay(&b, 0, &price) == 1 && price == 0 && b.left == 0);
  ofox_budget_succeeded(&b, price);
  assert(b.left == 0);
  ofox_budget_init(&b, &great);
  assert(ofox_budget_pay(&b, 0, &price) == 1 && b.left == 0);
  assert(ofox_budget_pay(&b, 1, NULL) == 1);
  ofox_budget_succeeded(&b, -1);
  ofox_budget_succeeded(&b, -1);
  assert(b.left == INT_MAX);
  /* a retry that was free brings no reward */
  ofox_budget_pay(&b, 0, NULL);
  ofox_budget_succeeded(&b, 0);
  assert(b.left == 0);
}

int main(void) {
  test_standard();
  test_never_above_its_capacity();
  test_odd_rates();
  puts("ok");
  return 0;
}
