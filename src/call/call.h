/*
** One API call: READY -> FLIGHT -> (WAIT -> READY -> FLIGHT)* -> DONE.
** The transport (the engine, the mock) begins an attempt when the call
** is READY, feeds what comes back, ends the attempt, and ticks the call when
** it is due. Whether there is a further attempt, and when, is decided here.
** Knows nothing of sockets, libcurl or Lua; time is an argument, in seconds.
*/
#ifndef OFOX_CALL_H
#define OFOX_CALL_H

#include "call/state.h"

/* For one model; 'config' outlives the call. */
void ofox_call_init(struct ofox_call *c, const struct ofox_call_config *config,
                    uint64_t seed, double now);
void ofox_call_free(struct ofox_call *c);   /* detaches; idempotent */
void ofox_call_let_go(struct ofox_call *c); /* said by its transport */
/* READY -> FLIGHT: 0; or -1, DONE: the deadline has passed. */
int ofox_call_begin(struct ofox_call *c, double now);
/* It waits until it may have a connection, its own limits do not run yet; it
** is about to connect; it has, 'reused': where others have been. */
void ofox_call_queue(struct ofox_call *c);
void ofox_call_connect(struct ofox_call *c, double now);
void ofox_call_connected(struct ofox_call *c, int reused, double now);

/* A header line, a piece of the body. 0, or negative: stop the transfer and
** end the attempt, with any outcome: the call knows why. A stream may end in
** its body: the call is DONE, and what follows is of no interest. */
int ofox_call_head(struct ofox_call *c, const char *p, size_t n, double now);
int ofox_call_body(struct ofox_call *c, const char *p, size_t n, double now);

/* Why it failed; of a call that was freed nothing is known. */
const struct ofox_error *ofox_call_error(const struct ofox_call *c);

/* Of the response to this attempt, as far as they are in. */
const struct ofox_headers *ofox_call_headers(const struct ofox_call *c);
/* Its status is that of a failure, of whose body nothing is in yet. */
int ofox_call_is_bare_failure(const struct ofox_call *c);
/* The moment of its latest byte. */
double ofox_call_heard(const struct ofox_call *c);
/* There was no memory for something that the attempt needs. */
void ofox_call_starve(struct ofox_call *c);

/* So many seconds of the attempt do not count: the program was away. */
void ofox_call_excuse(struct ofox_call *c, double seconds, double now);

/* Are there more events than its reader takes? Has it taken so many that it is
** worth the trouble to read on? */
int ofox_call_is_full(const struct ofox_call *c);
int ofox_call_has_room(const struct ofox_call *c);
/* The body waits for a slow reader, or does no longer. */
int ofox_call_is_paused(const struct ofox_call *c);
void ofox_call_pause(struct ofox_call *c, int paused, double now);
/* The next event, as ofox_event_queue_peek gives it; takes it off. */
int ofox_call_peek(struct ofox_call *c, struct ofox_event *out);
void ofox_call_next(struct ofox_call *c, const struct ofox_event *ev);
/* FLIGHT -> WAIT or DONE. 'sent': a byte of the request has left; 'detail':
** more than the outcome says or, after a '!', all; 'wall': s since 1970. */
void ofox_call_end(struct ofox_call *c, enum ofox_outcome outcome, int sent,
                   struct ofox_span detail, double now, double wall);
/* When the call wants to be looked at again; INFINITY: when bytes come. */
double ofox_call_due(const struct ofox_call *c);
/* The limit of the attempt in FLIGHT that has passed, else ANSWERED. */
enum ofox_outcome ofox_call_expired(const struct ofox_call *c, double now);
void ofox_call_tick(struct ofox_call *c, double now); /* WAIT -> READY */
/* Before the next attempt: no further one; or not before 'delay' seconds
** after the last one ended (ignored if that is sooner than planned). */
void ofox_call_veto(struct ofox_call *c);
void ofox_call_postpone(struct ofox_call *c, double delay);
/* -> DONE, with that failure; the transport must have let go before. */
void ofox_call_abort(struct ofox_call *c, enum ofox_outcome outcome, int sent,
                     double now);

#endif
