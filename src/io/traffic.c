#include "io/traffic.h"

#include <math.h>

#include "io/forks.h"

void ofox_traffic_init(struct ofox_traffic *w) {
  w->forks = ofox_forks_passed();
  w->next_due = INFINITY;
  w->end = &w->first;
  ofox_ready_list_init(&w->news);
}

int ofox_traffic_is_ours(const struct ofox_traffic *w) {
  return w->forks == ofox_forks_passed();
}

void ofox_traffic_expect(struct ofox_traffic *w, double due) {
  w->next_due = fmin(w->next_due, due);
}
