/*
** How much was done in the last seconds: no window of that length, wherever
** it begins, sees more than a limit. Each thing done counts as one more of an
** amount; where the amounts are too many to be kept one by one, those that
** follow each other are kept as one part, which counts until its last has
** left: less may be let through than could be, by the 256th part of the limit
** at most, and never more.
** Knows nothing of what is done. Amounts are whole numbers, in doubles.
*/
#ifndef OFOX_WINDOW_H
#define OFOX_WINDOW_H

#include <stddef.h>

#define OFOX_WINDOW_PARTS 256

struct ofox_window_part {
  double last; /* when the last of it was done */
  double amount;
};

/* Zeroed: fit to be freed. */
struct ofox_window {
  double limit; /* of each 'span' seconds, the end not included */
  double span;
  double _grain; /* a part that has as much is full */
  double _sum;   /* of all parts */
  double _gone;  /* the last moment of which nothing is kept */
  struct ofox_window_part *_parts; /* a ring, the oldest first */
  size_t _room, _first, _n;
};

/* With memory for that limit; 0, or OFOX_EMEM. INFINITY: for any. */
int ofox_window_init(struct ofox_window *w, double limit, double span);
void ofox_window_free(struct ofox_window *w);
/* Another limit, from 1, and another length; what was done stays. */
void ofox_window_change(struct ofox_window *w, double limit, double span);

/*
** When 'amount' more may be done, if 'before' is done before that as soon as
** may be; now, at the earliest. What is more than the limit may be done alone.
*/
double ofox_window_next(const struct ofox_window *w, double now, double before,
                        double amount);

/* It is done, whether or not it might be. */
void ofox_window_add(struct ofox_window *w, double amount, double now);

/* What another has counted is counted here, too. */
void ofox_window_carry(struct ofox_window *w, const struct ofox_window *from);

/* So much of what was done at that moment was not done after all. If it is not
** known any more where that was counted, nothing changes. */
void ofox_window_take_back(struct ofox_window *w, double amount, double when);

#endif
