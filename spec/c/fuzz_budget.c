/*
** Fuzz target: retries and successes of any rates, beside a sum in numbers
** that cannot overflow.
*/
#include "../../src/policy/budget.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                                                               \
  do {                                                                        \
    if (!(x))                                                                 \
      abort();                                                                \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t clamp(int64_t n, int64_t most) {
  return n < 0 ? 0 : n > most ? most : n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct ofox_budget_rates rates;
  struct ofox_budget b;
  int64_t left, capacity, due;
  size_t i;
  int price, paid;
  if (size < sizeof(rates))
    return 0;
  memcpy(&rates, data, sizeof(rates));
  ofox_budget_init(&b, &rates);
  capacity = left = clamp(rates.capacity, INT32_MAX);
  MUST(b.left == left);
  for (i = sizeof(rates); i + 1 < size; i += 2) {
    int timed_out = data[i + 1] & 1;
    switch (data[i] % 4) {
    case 0:
      due = clamp(timed_out ? rates.after_timeout : rates.retry, INT32_MAX);
      paid = ofox_budget_pay(&b, timed_out, &price);
      MUST(paid == (due <= left));
      if (paid) {
        MUST(price == due);
        left -= due;
      }
      break;
    case 1:
      ofox_budget_succeeded(&b, -1);
      left = clamp(left + clamp(rates.success, INT32_MAX), capacity);
      break;
    case 2:
      ofox_budget_succeeded(&b, data[i + 1] << (data[i] / 8 % 24));
      left = clamp(left + (data[i + 1] << (data[i] / 8 % 24)), capacity);
      break;
    default:
      ofox_budget_return(&b, data[i + 1] - 128);
      left = clamp(left + clamp(data[i + 1] - 128, INT32_MAX), capacity);
    }
    MUST(b.left == left);
  }
  return 0;
}
