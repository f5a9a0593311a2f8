/*
** Which of many must be checked when. Each is filed under a moment before
** which it is not due; when that has passed it is checked, in the order of
** arrival, and filed again. So those that are not due cost nothing.
** Knows nothing of what they are; time is an argument, in seconds.
*/
#ifndef OFOX_DUES_H
#define OFOX_DUES_H

#include "io/pairing_heap.h"

/* A part of its owner. Zeroed: has not arrived. */
struct ofox_due_entry {
  struct ofox_heap_node _node;
  double _arrival; /* counts them */
  int _comes;      /* will be checked in this round */
};

struct ofox_dues {
  struct ofox_pairing_heap _later;   /* by moments */
  struct ofox_pairing_heap _present; /* by arrival */
  double _arrivals;
  double _checked; /* the arrival of the one that is being checked */
  double _now;     /* of the round; -INFINITY between rounds */
};

void ofox_dues_init(struct ofox_dues *d);

/* Arrives, and is not due; leaves. */
void ofox_dues_arrive(struct ofox_dues *d, struct ofox_due_entry *due);
void ofox_dues_leave(struct ofox_due_entry *due);

/* It is due then, perhaps earlier than it was; INFINITY: not by time. To be
** called whenever that may be earlier; later ones are noticed by checks. */
void ofox_dues_expect(struct ofox_dues *d, struct ofox_due_entry *due,
                      double at);

/* None is due before this; INFINITY: none at all. */
double ofox_dues_next(const struct ofox_dues *d);

/* Before a round: one whose moment may have passed, or NULL. The same again,
** until it is filed under its true moment, later than 'now', or put into the
** round to come, where it stays. */
struct ofox_due_entry *ofox_dues_passed(const struct ofox_dues *d, double now);
void ofox_dues_correct(struct ofox_dues *d, struct ofox_due_entry *due,
                       double at);
void ofox_dues_call(struct ofox_dues *d, struct ofox_due_entry *due);

/*
** A round: begins (0: with none), gives one after the other, NULL at its end,
** which must be reached. Of those that become due meanwhile the ones take part
** that arrived after the one that was given last; others wait for the next
** round. The one that was given is not filed: expect does it.
*/
int ofox_dues_begin(struct ofox_dues *d, double now);
struct ofox_due_entry *ofox_dues_take(struct ofox_dues *d);

#endif
