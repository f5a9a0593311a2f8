/*
** A parser of event streams (WHATWG HTML, 9.2.6): bytes in, events out.
** Knows nothing of HTTP, JSON, Lua or the meaning of an event.
*/
#ifndef OFOX_SSE_H
#define OFOX_SSE_H

#include "base/buf.h"

/* Default limit of an event in bytes. */
#define OFOX_MAX_EVENT (16 * 1024 * 1024)

/* One event; an empty type is that of a "message". */
struct ofox_sse_event {
  struct ofox_span type, data, id;
  int cut;  /* the input ended before its blank line */
  int line; /* not an event: 'data' is a line that is not a field */
};

struct ofox_sse {
  int error;          /* 0, or what stopped it, permanently: OFOX_E* */
  const char *reason; /* of the error: static text */
  size_t position;    /* of the error: bytes before it, from the start */
  int all; /* set by the caller: gives lines that are no field, too, and
              events that have a type and no data */
  struct ofox_span _in;  /* fed but not read yet: owned by the caller */
  const char *_lf, *_cr; /* the next in it or its end, NULL: not looked for */
  struct ofox_buf _line; /* a line that began in an earlier feed */
  struct ofox_buf _data, _type, _id;
  struct ofox_span _single; /* data of one line, inside '_in' */
  size_t _cap, _used;       /* of it, used by the pending event */
  int _has_data, _given;    /* it has any; it has been given */
  int _lent;                /* '_line' has been given */
  int _past_bom, _after_cr, _finished;
};

/* 'cap': bytes of one event, field names and line ends included. */
void ofox_sse_init(struct ofox_sse *p, size_t cap);
void ofox_sse_free(struct ofox_sse *p);  /* idempotent */
void ofox_sse_clear(struct ofox_sse *p); /* as new, even after an error */

/*
** Adds bytes, which the caller owns and must keep in place until next has
** returned 0: then the rest of them has been copied. Not to be called before
** that. 0, or the error it has stopped with.
*/
int ofox_sse_feed(struct ofox_sse *p, const char *b, size_t n);

/* End of input: an event without its blank line counts. */
void ofox_sse_finish(struct ofox_sse *p);

/*
** 1: 'ev' is filled, until the next call of any of these; 0: feed more;
** negative: broken, and so is every later call. OFOX_ECAP: an event is larger
** than the cap; those before it were given.
*/
int ofox_sse_next(struct ofox_sse *p, struct ofox_sse_event *ev);

/*
** Of the pending event: its type and the data of its complete lines, until the
** next call of any of these. 0: it has no data yet.
*/
int ofox_sse_pending(const struct ofox_sse *p, struct ofox_sse_event *ev);

#endif
