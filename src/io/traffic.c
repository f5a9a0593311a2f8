#define _GNU_SOURCE /* getpid */
#include "io/traffic.h"

#include <math.h>

#include <unistd.h>

void ofox_traffic_init(struct ofox_traffic *w) {
  w->pid = getpid();
  w->next_due = INFINITY;
  w->looks = -INFINITY;
  w->end = &w->first;
  ofox_ready_list_init(&w->news);
}

int ofox_traffic_is_ours(const struct ofox_traffic *w) {
  return w->pid == getpid();
}

void ofox_traffic_expect(struct ofox_traffic *w, double due) {
  w->next_due = fmin(w->next_due, due);
}
