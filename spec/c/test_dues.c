/*
** When each of many is checked, beside a list that is searched from end to
** end. Prints "ok". From the root of the clone:
**
**   make build/ctest/test_dues.ok
*/
#undef NDEBUG
#include "io/dues.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MANY 10000
#define FEW 60
#define ROUNDS 20000

static uint64_t state;

static unsigned chance(unsigned n) {
  state = state * 6364136223846793005ULL + 1442695040888963407ULL;
  return (unsigned)(state >> 33) % n;
}

/* The heap alone */

static struct ofox_heap_node nodes[MANY];
static struct ofox_pairing_heap heap;

static struct ofox_heap_node *least(int n) {
  struct ofox_heap_node *found = NULL;
  int i;
  for (i = 0; i < n; i++) {
    if (ofox_pairing_heap_has(&nodes[i]) &&
        (found == NULL || nodes[i].key < found->key))
      found = &nodes[i];
  }
  return found;
}

static void test_heap_beside_a_list(void) {
  int i;
  memset(nodes, 0, sizeof(nodes));
  memset(&heap, 0, sizeof(heap));
  for (i = 0; i < ROUNDS; i++) {
    struct ofox_heap_node *n = &nodes[chance(FEW)], *first;
    if (chance(3) > 0)
      ofox_pairing_heap_put(&heap, n, chance(40));
    else
      ofox_pairing_heap_drop(chance(2) && heap.first != NULL ? heap.first : n);
    first = least(FEW);
    assert((first == NULL) == (heap.first == NULL));
    assert(first == NULL || heap.first->key == first->key);
  }
}

/* Those that are looked at when a node is removed: the ones right below. */
static unsigned long below(const struct ofox_heap_node *n) {
  unsigned long count = 0;
  for (n = n->_below; n != NULL; n = n->_next)
    count++;
  return count;
}

/* What removing n of them looks at, the least first, each of which comes again
** later; 'falls': their keys fall from one to the next. */
static unsigned long cost(int n, int falls) {
  unsigned long looks = 0;
  int i;
  memset(nodes, 0, sizeof(nodes));
  memset(&heap, 0, sizeof(heap));
  for (i = 0; i < n; i++)
    ofox_pairing_heap_put(&heap, &nodes[i], falls ? n - i : i);
  for (i = 0; i < 2 * n; i++) {
    struct ofox_heap_node *first = heap.first;
    looks += below(first);
    ofox_pairing_heap_put(&heap, first, first->key + n + chance(10));
  }
  return looks;
}

/* log2(10,000) = 13.3 */
static void test_heap_is_cheap(void) {
  assert(cost(MANY, 0) < 2UL * MANY * 14);
  assert(cost(MANY, 1) < 2UL * MANY * 14);
}

/* Rounds */

struct thing {
  struct ofox_due_entry entry;
  double arrived; /* 0: is not there */
  double due;     /* what it would say if it was asked */
};

static struct thing things[MANY];
static struct ofox_dues dues;

static void arrive(struct thing *t) {
  static double arrivals;
  memset(t, 0, sizeof(*t));
  ofox_dues_arrive(&dues, &t->entry);
  t->arrived = ++arrivals;
  t->due = INFINITY;
}

static void leave(struct thing *t) {
  ofox_dues_leave(&t->entry);
  memset(t, 0, sizeof(*t));
}

static void move(struct thing *t, double at) {
  double before = t->due;
  t->due = at;
  if (at < before || chance(2)) /* later ones need not be told */
    ofox_dues_expect(&dues, &t->entry, at);
}

/* Something happens to any of them. */
static void happen(double now) {
  struct thing *t = &things[chance(FEW)];
  if (t->arrived == 0)
    arrive(t);
  else if (chance(6) == 0)
    leave(t);
  else
    move(t, chance(5) == 0 ? INFINITY : now - 2 + chance(20));
}

/* The next of the round, if the list is searched: in the order of arrival,
** each once, after 'last'. */
static struct thing *next_of(double last, double now) {
  struct thing *found = NULL;
  int i;
  for (i = 0; i < FEW; i++) {
    struct thing *t = &things[i];
    if (t->arrived > last && t->due <= now &&
        (found == NULL || t->arrived < found->arrived))
      found = t;
  }
  return found;
}

/* As is_late of engine.c does: some are asked before the round begins. */
static void look(double now) {
  struct ofox_due_entry *e;
  unsigned n = chance(4);
  while (n-- > 0 && (e = ofox_dues_passed(&dues, now)) != NULL) {
    struct thing *t = (struct thing *)(void *)e;
    if (now < t->due)
      ofox_dues_correct(&dues, e, t->due);
    else
      ofox_dues_call(&dues, e);
  }
}

static void round_at(double now) {
  struct ofox_due_entry *e;
  double last = 0;
  if (!ofox_dues_begin(&dues, now)) {
    assert(next_of(0, now) == NULL);
    return;
  }
  while ((e = ofox_dues_take(&dues)) != NULL) {
    struct thing *t = (struct thing *)(void *)e;
    assert(t->arrived > last);
    if (t->due <= now)
      assert(t == next_of(last, now));
    else /* filed too early, and none that is due is left out for it */
      assert(next_of(last, now) == NULL ||
             next_of(last, now)->arrived > t->arrived);
    last = t->arrived;
    if (chance(4) == 0) {
      leave(t);
    }
    else {
      t->due = now - 1 + chance(15);
      ofox_dues_expect(&dues, e, t->due);
    }
    if (chance(3) == 0)
      happen(now);
  }
  assert(next_of(last, now) == NULL);
}

static void test_rounds_beside_a_list(void) {
  double now = 0;
  int i;
  memset(things, 0, sizeof(things));
  ofox_dues_init(&dues);
  for (i = 0; i < ROUNDS; i++) {
    double first = INFINITY;
    int k;
    happen(now);
    for (k = 0; k < FEW; k++) {
      if (things[k].arrived != 0)
        first = fmin(first, things[k].due);
    }
    assert(ofox_dues_next(&dues) <= first);
    if (chance(3) > 0)
      continue;
    now += chance(3);
    look(now);
    if (chance(2))
      happen(now);
    round_at(now);
  }
}

static void test_order_of_arrival(void) {
  double last = 0;
  struct ofox_due_entry *e;
  int i, n = 0;
  memset(things, 0, sizeof(things));
  ofox_dues_init(&dues);
  for (i = 0; i < MANY; i++)
    arrive(&things[i]);
  for (i = 0; i < MANY; i++)
    ofox_dues_expect(&dues, &things[(i * 7919L) % MANY].entry, chance(1000));
  assert(!ofox_dues_begin(&dues, -1) && ofox_dues_next(&dues) == 0);
  assert(ofox_dues_begin(&dues, 1000));
  while ((e = ofox_dues_take(&dues)) != NULL) {
    assert(((struct thing *)(void *)e)->arrived > last);
    last = ((struct thing *)(void *)e)->arrived;
    n++;
  }
  assert(n == MANY && ofox_dues_next(&dues) == INFINITY);
}

int main(void) {
  for (state = 1; state < 20; state += 3) {
    uint64_t seed = state;
    test_heap_beside_a_list();
    test_rounds_beside_a_list();
    state = seed;
  }
  test_heap_is_cheap();
  test_order_of_arrival();
  puts("ok");
  return 0;
}
