/*
** Fuzz target: calls come, wait, are cancelled, start and come again, in any
** order, in two queues, beside a list that is searched from end to end.
*/
#include "../../src/policy/turns.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                                                               \
  do {                                                                        \
    if (!(x))                                                                 \
      abort();                                                                \
  } while (0)

#define CALLS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ofox_turn all[CALLS];
static const struct ofox_turns *where[CALLS]; /* it waits; NULL: nowhere */
static struct ofox_turns queues[2];

static size_t waiting(const struct ofox_turns *q, uint64_t before) {
  size_t i, n = 0;
  for (i = 0; i < CALLS; i++)
    n += where[i] == q && all[i].order < before;
  return n;
}

static void check(const struct ofox_turns *q) {
  struct ofox_turn *first = ofox_turns_first(q);
  uint64_t last = 0;
  size_t i, before;
  MUST(q->n == waiting(q, UINT64_MAX));
  MUST((first == NULL) == (q->n == 0));
  if (first != NULL)
    MUST(where[first - all] == q && waiting(q, first->order) == 0);
  for (i = 0; i < CALLS; i++) {
    MUST(ofox_turns_waits(&all[i]) == (where[i] != NULL));
    if (all[i].order > last)
      last = all[i].order;
  }
  for (i = 0; i < CALLS; i++) {
    if (all[i].order == 0 || (where[i] != NULL && where[i] != q))
      continue;
    before = ofox_turns_before(q, &all[i]);
    MUST(before >= waiting(q, all[i].order) && before <= q->n);
    if (all[i].order == last || &all[i] == first)
      MUST(before == waiting(q, all[i].order));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint64_t arrivals = 0;
  size_t i;
  memset(all, 0, sizeof(all));
  memset(where, 0, sizeof(where));
  ofox_turns_init(&queues[0], &arrivals);
  ofox_turns_init(&queues[1], &arrivals);
  for (i = 0; i + 1 < size; i += 2) {
    struct ofox_turn *turn = &all[data[i] % CALLS];
    struct ofox_turns *q = &queues[data[i] / CALLS % 2];
    if (where[turn - all] != NULL)
      q = where[turn - all] == queues ? queues : queues + 1;
    switch (data[i + 1] % 4) {
    case 0:
    case 1:
      ofox_turns_wait(q, turn);
      where[turn - all] = q;
      break;
    case 2:
      ofox_turns_leave(q, turn);
      where[turn - all] = NULL;
      break;
    default:
      turn = ofox_turns_first(q);
      if (turn == NULL) {
        ofox_turns_arrive(q, &all[data[i] % CALLS]);
      }
      else {
        ofox_turns_leave(q, turn);
        where[turn - all] = NULL;
      }
    }
    if (data[i + 1] >= 128) { /* it has ended: another call has its memory */
      ofox_turns_leave(q, &all[data[i] % CALLS]);
      memset(&all[data[i] % CALLS], 0, sizeof(*turn));
      where[data[i] % CALLS] = NULL;
    }
    check(&queues[0]);
    check(&queues[1]);
  }
  return 0;
}
