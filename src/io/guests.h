/*
** Guests of an engine: descriptors that it watches, and moments that it waits
** for, on behalf of other modules of C. A guest is served in the engine's
** steps; what it has for Lua it announces by its note, which Lua takes.
** Other modules have a copy of this code: it keeps nothing outside of what it
** is given.
** Knows nothing of what guests do, nor of the engine.
*/
#ifndef OFOX_GUESTS_H
#define OFOX_GUESTS_H

#include "call/ready_list.h"
#include "io/poller.h"

struct ofox_guests {
  struct ofox_poller *_poller;
  struct ofox_guest *_first;
  struct ofox_ready_list _news;
  void (*_changed)(void *user); /* a due moment may have come nearer */
  void *_user;
};

struct ofox_guest {
  /*
  ** 'what' of OFOX_POLL_* has happened, or it is due (0). May watch, forget
  ** and leave, but not free the guest.
  */
  void (*serve)(struct ofox_guest *g, int what, double now);
  double due; /* when to serve it in any case; INFINITY: never; see expect */
  int fd;     /* -1: none */
  int what;   /* watched for */
  struct ofox_note note;
  struct ofox_guests *_host; /* NULL: it is nowhere a guest */
  struct ofox_guest *_next, **_link;
};

void ofox_guests_init(struct ofox_guests *h, struct ofox_poller *poller,
                      void (*changed)(void *user), void *user);
/* All leave. The poller is not touched: it may be another process's. */
void ofox_guests_end(struct ofox_guests *h);

/* A guest may have no engine any more; then only its own fields change. */
void ofox_guest_join(struct ofox_guests *h, struct ofox_guest *g);
void ofox_guest_leave(struct ofox_guest *g); /* idempotent */
/* In a forked child: as leave, but the poller, which is the parent's, is not
** touched. */
void ofox_guest_abandon(struct ofox_guest *g);

/* Watches 'fd', instead of what it watched before, for 'what' (0: nothing, as
** must be said before it is closed). 0, or negative: errno says why. */
int ofox_guest_watch(struct ofox_guest *g, int fd, int what);
/* When it is due. */
void ofox_guest_expect(struct ofox_guest *g, double due);
/* It has news for Lua. */
void ofox_guest_tell(struct ofox_guest *g);

/* For the engine. */

/* Serves the guest whose descriptor that is; 0: it is none of theirs. */
int ofox_guests_event(struct ofox_guests *h, const struct ofox_poll_event *e,
                      double now);
/* Serves those that are due. */
void ofox_guests_timers(struct ofox_guests *h, double now);
double ofox_guests_due(const struct ofox_guests *h); /* INFINITY: never */
int ofox_guests_have_news(const struct ofox_guests *h);
/* A note of a guest that has news, or NULL: each once. */
struct ofox_note *ofox_guests_take_news(struct ofox_guests *h);

#endif
