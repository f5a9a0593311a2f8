#include "io/guests.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>

void ofox_guests_init(struct ofox_guests *h, struct ofox_poller *poller,
                      void (*changed)(void *user), void *user) {
  h->_poller = poller;
  h->_first = NULL;
  ofox_ready_list_init(&h->_news);
  h->_changed = changed;
  h->_user = user;
}

void ofox_guests_end(struct ofox_guests *h) {
  while (h->_first != NULL)
    ofox_guest_abandon(h->_first);
}

void ofox_guest_join(struct ofox_guests *h, struct ofox_guest *g) {
  g->_host = h;
  g->fd = -1;
  g->what = 0;
  g->due = INFINITY;
  g->note.list = &h->_news;
  g->_link = &h->_first;
  g->_next = h->_first;
  if (g->_next != NULL)
    g->_next->_link = &g->_next;
  h->_first = g;
}

void ofox_guest_abandon(struct ofox_guest *g) {
  if (g->_host == NULL)
    return;
  ofox_note_drop(&g->note);
  g->note.list = NULL;
  *g->_link = g->_next;
  if (g->_next != NULL)
    g->_next->_link = g->_link;
  g->_host = NULL;
  g->fd = -1;
  g->what = 0;
  g->due = INFINITY;
}

void ofox_guest_leave(struct ofox_guest *g) {
  ofox_guest_watch(g, -1, 0);
  ofox_guest_abandon(g);
}

int ofox_guest_watch(struct ofox_guest *g, int fd, int what) {
  struct ofox_guests *h = g->_host;
  if (h == NULL) {
    errno = EBADF;
    return -1;
  }
  if (g->what != 0 && (g->fd != fd || what == 0))
    ofox_poller_set(h->_poller, g->fd, 0);
  g->fd = fd;
  g->what = 0;
  if (what == 0)
    return 0;
  if (ofox_poller_open(h->_poller) != 0 ||
      ofox_poller_set(h->_poller, fd, what) != 0)
    return -1;
  g->what = what;
  return 0;
}

void ofox_guest_expect(struct ofox_guest *g, double due) {
  struct ofox_guests *h = g->_host;
  if (h == NULL || g->due == due)
    return;
  g->due = due;
  h->_changed(h->_user);
}

void ofox_guest_tell(struct ofox_guest *g) {
  struct ofox_guests *h = g->_host;
  ofox_note_watch(&g->note);
  ofox_note_tell(&g->note);
  if (h != NULL)
    h->_changed(h->_user);
}

int ofox_guests_event(struct ofox_guests *h, const struct ofox_poll_event *e,
                      double now) {
  struct ofox_guest *g = h->_first;
  while (g != NULL && (g->what == 0 || g->fd != e->fd))
    g = g->_next;
  if (g == NULL)
    return 0;
  g->serve(g, e->what, now);
  return 1;
}

void ofox_guests_timers(struct ofox_guests *h, double now) {
  struct ofox_guest *g, *next;
  for (g = h->_first; g != NULL; g = next) {
    next = g->_next;
    if (now >= g->due)
      g->serve(g, 0, now);
  }
}

double ofox_guests_due(const struct ofox_guests *h) {
  const struct ofox_guest *g;
  double due = INFINITY;
  for (g = h->_first; g != NULL; g = g->_next)
    due = fmin(due, g->due);
  return due;
}

int ofox_guests_have_news(const struct ofox_guests *h) {
  return ofox_ready_list_any(&h->_news);
}

struct ofox_note *ofox_guests_take_news(struct ofox_guests *h) {
  return ofox_ready_list_take(&h->_news);
}
