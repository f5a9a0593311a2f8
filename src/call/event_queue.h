/*
** The body of one answer as events: read as it comes, understood, and kept
** in a queue until the reader takes them. The events before the first content
** are held back, so that an attempt that fails before it is never seen.
** Knows nothing of attempts, of time, or of where the bytes come from.
*/
#ifndef OFOX_EVENT_QUEUE_H
#define OFOX_EVENT_QUEUE_H

#include "call/transcript.h"
#include "wire/sse.h"
#include "wire/stray_lines.h"

struct ofox_event_queue {
  enum ofox_dialect dialect;
  int open;   /* its events may be taken: content has come */
  int ended;  /* complete: nothing that follows matters */
  int broken; /* failed: 'outcome' says how, or with ANSWERED 'failure' */
  enum ofox_outcome outcome;
  enum ofox_class fallback; /* see ofox_error_read */
  struct ofox_buf failure;  /* what said so: JSON, words or a page */
  size_t chunks;            /* that have come */
  struct ofox_transcript said;
  struct ofox_sse _sse;
  struct ofox_stray_lines _stray;
  struct ofox_buf _queue; /* each a header and the bytes of an event */
  size_t _taken;          /* of the queue */
  size_t _hold;           /* bytes of an opening that are held back */
  uint64_t _begun, _finished;
  int _cut; /* the body has come to no proper end */
};

/* An event as it is taken; its spans hold until the next feed. */
struct ofox_event {
  struct ofox_span name; /* that it came with; empty if it has none */
  struct ofox_span data; /* empty: no event, but the end of the text */
  struct ofox_span text; /* valid UTF-8; empty if it has none */
  int whole;             /* a whole answer, which came instead of events */
};

/* 'max_event': bytes of one event; 'max_said': of all that is kept. */
void ofox_event_queue_init(struct ofox_event_queue *s,
                           enum ofox_dialect dialect, size_t max_event,
                           size_t max_said);
void ofox_event_queue_free(
    struct ofox_event_queue *s); /* zeroed or twice: fine */
void ofox_event_queue_clear(
    struct ofox_event_queue *s); /* for another attempt */

/*
** Reads on. 0; negative: the stream is broken, OFOX_EMEM: or memory is short.
** What follows its end is ignored.
*/
int ofox_event_queue_feed(struct ofox_event_queue *s, const char *p, size_t n);
/* The body is over; 'whole': as its framing says, else it broke off, perhaps
** within an event. Returns as feed. */
int ofox_event_queue_finish(struct ofox_event_queue *s, int whole);
/* Takes a whole answer for a stream of one event. 0 or negative. */
int ofox_event_queue_whole(struct ofox_event_queue *s, struct ofox_span body);

/* Has every choice said why it ended? Then the answer is complete. */
int ofox_event_queue_is_finished(const struct ofox_event_queue *s);

/* Are there events to take? Is there room for more? */
int ofox_event_queue_has_event(const struct ofox_event_queue *s);
int ofox_event_queue_is_full(const struct ofox_event_queue *s);
/* Has so much been taken that it is worth the trouble to read on? */
int ofox_event_queue_has_room(const struct ofox_event_queue *s);
/* None of those in the queue will be taken. */
void ofox_event_queue_drop(struct ofox_event_queue *s);
/* 1: 'out' is the next event; 0: there is none. */
int ofox_event_queue_peek(struct ofox_event_queue *s, struct ofox_event *out);
/* Takes it off the queue. */
void ofox_event_queue_next(struct ofox_event_queue *s);

#endif
