#include "policy/turns.h"

void ofox_turns_init(struct ofox_turns *t, uint64_t *arrivals) {
  t->n = 0;
  t->_first = NULL;
  t->_arrivals = arrivals;
}

void ofox_turns_arrive(struct ofox_turns *t, struct ofox_turn *turn) {
  if (turn->order == 0)
    turn->order = ++*t->_arrivals;
}

struct ofox_turn *ofox_turns_second(const struct ofox_turns *t) {
  struct ofox_turn *a, *b;
  if (t->_first == NULL)
    return NULL;
  a = t->_first->_below[0];
  b = t->_first->_below[1];
  if (a == NULL || b == NULL)
    return a != NULL ? a : b;
  return a->order < b->order ? a : b;
}

struct ofox_turn *ofox_turns_first(const struct ofox_turns *t) {
  return t->_first;
}

int ofox_turns_waits(const struct ofox_turn *turn) {
  return turn->_waits;
}

/*
** The heap is a binary tree whose levels are full, but for the last, which is
** filled from the left. Places are counted along the levels from 1: below the
** highest bit, the bits of a place's number say how to get there from the
** top, 0 to the left and 1 to the right.
*/
static struct ofox_turn **link_of(struct ofox_turns *t, size_t place,
                                  struct ofox_turn **up) {
  struct ofox_turn **link = &t->_first;
  size_t bit = 1;
  *up = NULL;
  while (bit <= place / 2)
    bit *= 2;
  for (bit /= 2; bit > 0; bit /= 2) {
    *up = *link;
    link = &(*link)->_below[(place & bit) != 0];
  }
  return link;
}

/* What points to it. */
static struct ofox_turn **link_to(struct ofox_turns *t,
                                  const struct ofox_turn *turn) {
  if (turn->_up == NULL)
    return &t->_first;
  return &turn->_up->_below[turn->_up->_below[1] == turn];
}

/* Those below get to know what is above them. */
static void tell_below(struct ofox_turn *turn) {
  int i;
  for (i = 0; i < 2; i++) {
    if (turn->_below[i] != NULL)
      turn->_below[i]->_up = turn;
  }
}

/* Trades places with the one above. */
static void rise_once(struct ofox_turns *t, struct ofox_turn *turn) {
  struct ofox_turn *above = turn->_up, *beside;
  int side = above->_below[1] == turn;
  beside = above->_below[!side];
  *link_to(t, above) = turn;
  turn->_up = above->_up;
  above->_below[0] = turn->_below[0];
  above->_below[1] = turn->_below[1];
  turn->_below[side] = above;
  turn->_below[!side] = beside;
  tell_below(turn);
  tell_below(above);
}

static void settle(struct ofox_turns *t, struct ofox_turn *turn) {
  struct ofox_turn *next;
  while (turn->_up != NULL && turn->order < turn->_up->order)
    rise_once(t, turn);
  for (;;) {
    next = turn->_below[0];
    if (turn->_below[1] != NULL && turn->_below[1]->order < next->order)
      next = turn->_below[1];
    if (next == NULL || turn->order < next->order)
      return;
    rise_once(t, next);
  }
}

void ofox_turns_wait(struct ofox_turns *t, struct ofox_turn *turn) {
  if (turn->_waits)
    return;
  ofox_turns_arrive(t, turn);
  turn->_waits = 1;
  turn->_below[0] = turn->_below[1] = NULL;
  *link_of(t, ++t->n, &turn->_up) = turn;
  settle(t, turn);
}

void ofox_turns_leave(struct ofox_turns *t, struct ofox_turn *turn) {
  struct ofox_turn **link, *up, *last;
  if (!turn->_waits)
    return;
  link = link_of(t, t->n--, &up);
  last = *link;
  *link = NULL;
  if (last != turn) { /* the last one takes its place */
    *link_to(t, turn) = last;
    last->_up = turn->_up;
    last->_below[0] = turn->_below[0];
    last->_below[1] = turn->_below[1];
    tell_below(last);
    settle(t, last);
  }
  turn->_up = turn->_below[0] = turn->_below[1] = NULL;
  turn->_waits = 0;
}

/* As numbers are given once, there are at most as many before it as there are
** numbers from the first one's to its own. */
size_t ofox_turns_before(const struct ofox_turns *t,
                         const struct ofox_turn *turn) {
  size_t others = t->n - (turn->_waits != 0);
  if (t->_first == NULL || t->_first == turn)
    return 0;
  if (turn->order == 0)
    return others;
  if (turn->order < t->_first->order)
    return 0;
  if (turn->order - t->_first->order < others)
    return (size_t)(turn->order - t->_first->order);
  return others;
}

/* The heap is as deep as the number of those that wait has binary digits. */
static void each(struct ofox_turn *turn,
                 void (*f)(struct ofox_turn *turn, void *with), void *with) {
  if (turn == NULL)
    return;
  f(turn, with);
  each(turn->_below[0], f, with);
  each(turn->_below[1], f, with);
}

void ofox_turns_each(const struct ofox_turns *t,
                     void (*f)(struct ofox_turn *turn, void *with),
                     void *with) {
  each(t->_first, f, with);
}
