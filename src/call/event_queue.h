/*
** The body of one answer as events: read as it arrives, parsed, and queued
** until the reader takes them. The events before the first content are held
** back, so that an attempt that fails before it is never visible.
** Knows nothing of attempts, of time, or of where the bytes come from.
*/
#ifndef OFOX_EVENT_QUEUE_H
#define OFOX_EVENT_QUEUE_H

#include "call/queued_event.h"
#include "call/transcript.h"
#include "wire/json_stream.h"
#include "wire/outcomes.h"
#include "wire/sse.h"
#include "wire/stray_lines.h"

struct ofox_event_queue {
  const struct ofox_dialect *dialect;
  int open;   /* its events may be taken: content has arrived */
  int ended;  /* complete: anything that follows is ignored */
  int broken; /* failed: 'outcome' says how, or with ANSWERED 'failure' */
  enum ofox_outcome outcome;
  enum ofox_class fallback;      /* see ofox_error_read */
  struct ofox_buf failure;       /* what reported it: JSON, text or a page */
  struct ofox_buf usage;         /* said last, as JSON; empty: none was */
  size_t chunks;                 /* received */
  struct ofox_json_stream texts; /* of a body of them: its kind is set */
  struct ofox_transcript said;
  struct ofox_sse _sse;
  struct ofox_stray_lines _stray;
  struct ofox_buf _queue;  /* each an entry and the bytes of an event */
  size_t _taken, _room;    /* of the queue; known to have been allocated */
  size_t _waiting;         /* bytes of events in it, as received */
  size_t _hold;            /* bytes of an opening that are held back */
  struct ofox_entry _news; /* the last like another: its counts are news */
  struct ofox_buf _latest; /* the bytes of that; empty: there is none */
  uint64_t _begun, _finished;
  int _cut; /* the body has not ended properly */
};

/* 'max_event': bytes of one event; 'max_said': of all that is kept. */
void ofox_event_queue_init(struct ofox_event_queue *s,
                           const struct ofox_dialect *dialect,
                           size_t max_event, size_t max_said);
void ofox_event_queue_free(struct ofox_event_queue *s);  /* idempotent */
void ofox_event_queue_clear(struct ofox_event_queue *s); /* for a new one */

/* Reads on. 0; negative: the stream is broken, OFOX_EMEM: or memory is short.
** Anything after its end is ignored. */
int ofox_event_queue_feed(struct ofox_event_queue *s, const char *p, size_t n);
/* The same: JSON, each text an event; any bytes, each piece an event. */
int ofox_event_queue_texts(struct ofox_event_queue *s, struct ofox_span b);
int ofox_event_queue_bytes(struct ofox_event_queue *s, struct ofox_span b);
/* End of the body; 'whole': its framing is complete, else it was aborted,
** perhaps within an event. Returns as feed does. */
int ofox_event_queue_finish(struct ofox_event_queue *s, int whole);
/* Treats a whole answer as a stream of one event. 0 or negative. */
int ofox_event_queue_whole(struct ofox_event_queue *s, struct ofox_span body);
/* Does every choice have a finish reason? Then the answer is complete. */
int ofox_event_queue_is_finished(const struct ofox_event_queue *s);
/* Are there events to take? Is there room for more? Has so much been taken
** that reading on is worthwhile? */
int ofox_event_queue_has_event(const struct ofox_event_queue *s);
int ofox_event_queue_is_full(const struct ofox_event_queue *s);
int ofox_event_queue_has_room(const struct ofox_event_queue *s);
/* Discards the events in the queue. */
void ofox_event_queue_drop(struct ofox_event_queue *s);
/* 1: 'out' is the next event; 0: there is none. Takes it off the queue. */
int ofox_event_queue_peek(struct ofox_event_queue *s, struct ofox_event *out);
void ofox_event_queue_next(struct ofox_event_queue *s,
                           const struct ofox_event *ev);

#endif
