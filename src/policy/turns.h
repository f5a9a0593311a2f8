/*
** Who is next: calls that wait for the same thing, in the order in which they
** arrived. A call is numbered once, so that a retry keeps its place.
** Takes no memory, so that no call can fail to wait: the tickets, which are
** parts of their owners, are linked to a heap. Adding and removing one takes
** as many steps as the number that wait has binary digits.
** Knows nothing of calls, of time, or of what they wait for.
*/
#ifndef OFOX_TURNS_H
#define OFOX_TURNS_H

#include <stddef.h>
#include <stdint.h>

/* A ticket. Zeroed: has not arrived and does not wait. */
struct ofox_turn {
  uint64_t order; /* the smaller, the sooner; 0: none yet */
  struct ofox_turn *_up, *_below[2];
  int _waits;
};

struct ofox_turns {
  size_t n; /* how many wait */
  struct ofox_turn *_first;
  uint64_t *_arrivals;
};

/*
** 'arrivals' counts those that have arrived; it begins with 0 and outlives
** the turns. Queues between which tickets move (a call goes on to another
** model) share it.
*/
void ofox_turns_init(struct ofox_turns *t, uint64_t *arrivals);

/*
** Numbers a ticket that has no number, with or without a wait to come, and
** leaves others as they are. To be called when a call first wants to start.
*/
void ofox_turns_arrive(struct ofox_turns *t, struct ofox_turn *turn);

/* Waits from now on, at the place of its number. Twice: as once. */
void ofox_turns_wait(struct ofox_turns *t, struct ofox_turn *turn);

/* Waits no more, and keeps its number. Of one that does not wait: nothing. */
void ofox_turns_leave(struct ofox_turns *t, struct ofox_turn *turn);

/* The one whose turn it is, which waits on; NULL if none does. */
struct ofox_turn *ofox_turns_first(const struct ofox_turns *t);
/* The one after it, or NULL. */
struct ofox_turn *ofox_turns_second(const struct ofox_turns *t);
int ofox_turns_waits(const struct ofox_turn *turn);

/* Calls a function, which changes nothing here, for each that waits. */
void ofox_turns_each(const struct ofox_turns *t,
                     void (*f)(struct ofox_turn *turn, void *with),
                     void *with);

/*
** How many are before the ticket, whether it waits or is about to. Exact for
** the one that arrived last, and for the first; never too few for others.
*/
size_t ofox_turns_before(const struct ofox_turns *t,
                         const struct ofox_turn *turn);

#endif
