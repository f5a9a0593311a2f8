#include "io/dues.h"

#include <math.h>
#include <stddef.h>

static struct ofox_due_entry *due_of(struct ofox_heap_node *n) {
  return (struct ofox_due_entry *)(void *)n;
}

void ofox_dues_init(struct ofox_dues *d) {
  d->_later.first = d->_present.first = NULL;
  d->_arrivals = 0;
  d->_checked = 0;
  d->_now = -INFINITY;
}

void ofox_dues_arrive(struct ofox_dues *d, struct ofox_due_entry *due) {
  due->_arrival = ++d->_arrivals;
}

void ofox_dues_leave(struct ofox_due_entry *due) {
  ofox_pairing_heap_drop(&due->_node);
}

void ofox_dues_call(struct ofox_dues *d, struct ofox_due_entry *due) {
  ofox_pairing_heap_drop(&due->_node);
  ofox_pairing_heap_put(&d->_present, &due->_node, due->_arrival);
  due->_comes = 1;
}

void ofox_dues_expect(struct ofox_dues *d, struct ofox_due_entry *due,
                      double at) {
  if (due->_comes) /* its check will see that */
    return;
  if (at <= d->_now && due->_arrival > d->_checked)
    ofox_dues_call(d, due);
  else if (at < INFINITY &&
           (!ofox_pairing_heap_has(&due->_node) || at < due->_node.key))
    ofox_pairing_heap_put(&d->_later, &due->_node, at);
}

double ofox_dues_next(const struct ofox_dues *d) {
  return d->_later.first != NULL ? d->_later.first->key : INFINITY;
}

struct ofox_due_entry *ofox_dues_passed(const struct ofox_dues *d,
                                        double now) {
  return now >= ofox_dues_next(d) ? due_of(d->_later.first) : NULL;
}

void ofox_dues_correct(struct ofox_dues *d, struct ofox_due_entry *due,
                       double at) {
  ofox_pairing_heap_drop(&due->_node);
  if (at < INFINITY)
    ofox_pairing_heap_put(&d->_later, &due->_node, at);
}

int ofox_dues_begin(struct ofox_dues *d, double now) {
  struct ofox_due_entry *due;
  while ((due = ofox_dues_passed(d, now)) != NULL)
    ofox_dues_call(d, due);
  if (d->_present.first == NULL)
    return 0;
  d->_now = now;
  d->_checked = 0;
  return 1;
}

struct ofox_due_entry *ofox_dues_take(struct ofox_dues *d) {
  struct ofox_due_entry *due;
  if (d->_present.first == NULL) {
    d->_now = -INFINITY;
    return NULL;
  }
  due = due_of(d->_present.first);
  d->_checked = due->_arrival;
  due->_comes = 0;
  ofox_pairing_heap_drop(&due->_node);
  return due;
}
