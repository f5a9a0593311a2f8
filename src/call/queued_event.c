#include "call/queued_event.h"

#include <string.h>

size_t ofox_entry_differ(struct ofox_entry *e, const struct ofox_transcript *t,
                         const struct ofox_holes *h) {
  const struct ofox_holes *was;
  const char *data;
  size_t n = 0;
  int i;
  e->like = t->plain;
  e->model = ofox_transcript_model(t, &was);
  data = ofox_transcript_at(t, e->model) + e->name;
  e->whole = 0;
  e->n_holes = (uint32_t)h->n;
  for (i = 0; i < h->n; i++) {
    e->holes[i].at = (uint32_t)(was->at[i].raw.p - data);
    e->holes[i].was = (uint32_t)was->at[i].raw.n;
    e->holes[i].n = (uint32_t)h->at[i].raw.n;
    n += h->at[i].raw.n;
  }
  for (; i < OFOX_HOLES; i++)
    memset(&e->holes[i], 0, sizeof(e->holes[i]));
  return n;
}

void ofox_event_find(struct ofox_event *ev, const struct ofox_transcript *t,
                     const char *p) {
  const struct ofox_entry *e = &ev->_entry;
  const char *start = p;
  uint32_t i;
  ev->name = e->name;
  ev->data = e->data;
  ev->text = ofox_transcript_text(t);
  ev->text.p += e->from;
  ev->text.n = e->to - e->from;
  ev->whole = e->whole != 0;
  ev->like = e->like;
  ev->n_holes = (int)e->n_holes;
  for (i = 0; i < e->n_holes; i++) {
    ev->holes[i].p = p;
    ev->holes[i].n = e->holes[i].n;
    p += e->holes[i].n;
  }
  if (e->like != 0) {
    ev->_model = ofox_transcript_at(t, e->model);
    ev->_size = (size_t)(p - start);
  }
  else {
    ev->_model = start;
    ev->_size = e->name + e->data;
  }
}

void ofox_event_copy(const struct ofox_event *ev, char *to) {
  const struct ofox_entry *e = &ev->_entry;
  const char *p = ev->_model, *data = p + e->name;
  char *end = to + ev->name + ev->data;
  size_t n;
  int i;
  for (i = 0; i < ev->n_holes; i++) {
    n = (size_t)(data + e->holes[i].at - p);
    memcpy(to, p, n);
    memcpy(to + n, ev->holes[i].p, ev->holes[i].n);
    to += n + ev->holes[i].n;
    p += n + e->holes[i].was;
  }
  if (end > to)
    memcpy(to, p, (size_t)(end - to));
}
