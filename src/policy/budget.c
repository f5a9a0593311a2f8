#include "policy/budget.h"

#include <stddef.h>

const struct ofox_budget_rates ofox_budget_standard = {500, 5, 10, 1};

static int at_least_0(int n) {
  return n > 0 ? n : 0;
}

void ofox_budget_init(struct ofox_budget *b,
                      const struct ofox_budget_rates *rates) {
  b->rates.capacity = at_least_0(rates->capacity);
  b->rates.retry = at_least_0(rates->retry);
  b->rates.after_timeout = at_least_0(rates->after_timeout);
  b->rates.success = at_least_0(rates->success);
  b->left = b->rates.capacity;
}

int ofox_budget_pay(struct ofox_budget *b, int after_timeout, int *price) {
  int due = after_timeout ? b->rates.after_timeout : b->rates.retry;
  if (due > b->left)
    return 0;
  b->left -= due;
  if (price != NULL)
    *price = due;
  return 1;
}

void ofox_budget_return(struct ofox_budget *b, int price) {
  int room = b->rates.capacity - b->left;
  if (price > 0)
    b->left += price < room ? price : room;
}

void ofox_budget_succeeded(struct ofox_budget *b, int price) {
  ofox_budget_return(b, price < 0 ? b->rates.success : price);
}
