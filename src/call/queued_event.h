/*
** An event in a queue: whole, or as the difference from the event that a
** transcript kept last.
** Knows nothing of how events arrive, or of who takes them.
*/
#ifndef OFOX_QUEUED_EVENT_H
#define OFOX_QUEUED_EVENT_H

#include "call/transcript.h"

/* Before the bytes of an event, or of the holes of one that is like it. */
struct ofox_entry {
  size_t name, data; /* bytes of them, as received */
  size_t from, to;   /* its text in the transcript */
  size_t like;       /* see below */
  size_t model;      /* where that is in the transcript */
  uint32_t whole, n_holes;
  struct {
    uint32_t at, was, n; /* in the model's data, bytes there and here */
  } holes[OFOX_HOLES];
};

/* An event as taken; valid until the next feed. */
struct ofox_event {
  size_t name; /* bytes of its event name; 0: none */
  size_t data; /* of its JSON; 0: no event, but the end of the text */
  struct ofox_span text; /* valid UTF-8; empty if it has none */
  int whole;             /* a whole answer, sent instead of events */
  /* Events with the same number have the same name and JSON, except for a
  ** string or a number in each hole. 0: not known to be like any other. */
  size_t like;
  int n_holes;
  struct ofox_span holes[OFOX_HOLES]; /* in JSON */
  const char *_model;
  size_t _size; /* bytes in the queue behind the entry */
  struct ofox_entry _entry;
};

/* Fills in the parts that differ from the event kept last; returns how many
** bytes they have. */
size_t ofox_entry_differ(struct ofox_entry *e, const struct ofox_transcript *t,
                         const struct ofox_holes *h);

/* Fills in the event of ev->_entry, whose bytes are at 'p'. */
void ofox_event_find(struct ofox_event *ev, const struct ofox_transcript *t,
                     const char *p);

/* Copies name and JSON to 'to'; the holes may differ, see 'data'. */
void ofox_event_copy(const struct ofox_event *ev, char *to);

#endif
