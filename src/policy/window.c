#include "policy/window.h"

#include "base/buf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int ofox_window_init(struct ofox_window *w, double limit, double span) {
  memset(w, 0, sizeof(*w));
  w->_room = limit < OFOX_WINDOW_PARTS ? (size_t)limit + 1 : OFOX_WINDOW_PARTS;
  w->_gone = -INFINITY;
  ofox_window_change(w, limit, span);
  w->_parts = malloc(w->_room * sizeof(*w->_parts));
  return w->_parts == NULL ? OFOX_EMEM : 0;
}

void ofox_window_free(struct ofox_window *w) {
  free(w->_parts);
  memset(w, 0, sizeof(*w));
}

void ofox_window_change(struct ofox_window *w, double limit, double span) {
  w->limit = limit;
  w->span = span;
  w->_grain = ceil(limit / (double)w->_room);
}

static struct ofox_window_part *part(const struct ofox_window *w, size_t i) {
  return &w->_parts[(w->_first + i) % w->_room];
}

/*
** No more than the limit is done in a span. So of what is done from now on,
** all but the last 'limit' was done a span before, and so on. What is not kept
** any more may be in the window again if the clock goes back.
*/
double ofox_window_next(const struct ofox_window *w, double now, double before,
                        double amount) {
  double all = before + (amount < w->limit ? amount : w->limit);
  double spans = ceil(all / w->limit) - 1;
  double left = w->_sum, moment = w->_gone + w->span;
  size_t i;
  if (spans > 0)
    all -= spans * w->limit;
  for (i = 0; i < w->_n && left + all > w->limit; i++) {
    moment = part(w, i)->last + w->span;
    left -= part(w, i)->amount;
  }
  if (moment < now)
    moment = now;
  return spans > 0 ? moment + spans * w->span : moment;
}

static void make_room(struct ofox_window *w, double amount, double now) {
  struct ofox_window_part *oldest;
  while (w->_n > 0 && (w->_sum + amount > w->limit || w->_n == w->_room)) {
    oldest = part(w, 0);
    if (oldest->last + w->span > now)
      return;
    w->_gone = oldest->last;
    w->_sum -= oldest->amount;
    w->_first = (w->_first + 1) % w->_room;
    w->_n--;
  }
}

void ofox_window_add(struct ofox_window *w, double amount, double now) {
  struct ofox_window_part *newest;
  make_room(w, amount, now);
  newest = w->_n > 0 ? part(w, w->_n - 1) : NULL;
  if (newest != NULL && (newest->amount < w->_grain || w->_n == w->_room)) {
    newest->amount += amount;
  }
  else {
    double last = newest != NULL ? newest->last : now;
    newest = part(w, w->_n++);
    newest->amount = amount;
    newest->last = last;
  }
  if (newest->last < now)
    newest->last = now;
  w->_sum += amount;
}

/* The first part that was not over before a moment. */
static size_t find(const struct ofox_window *w, double when) {
  size_t low = 0, high = w->_n, middle;
  while (low < high) {
    middle = low + (high - low) / 2;
    if (part(w, middle)->last < when)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* From parts that are not newer than it was: those count for no longer. */
void ofox_window_take_back(struct ofox_window *w, double amount, double when) {
  struct ofox_window_part *p;
  size_t i;
  double last, less;
  if (when <= w->_gone)
    return;
  i = find(w, when);
  last = i < w->_n ? part(w, i)->last : 0;
  for (; i < w->_n && amount > 0; i++) {
    p = part(w, i);
    if (p->last > last)
      return;
    less = amount < p->amount ? amount : p->amount;
    p->amount -= less;
    w->_sum -= less;
    amount -= less;
  }
}

void ofox_window_carry(struct ofox_window *w, const struct ofox_window *from) {
  size_t i;
  for (i = 0; i < from->_n; i++)
    ofox_window_add(w, part(from, i)->amount, part(from, i)->last);
}
