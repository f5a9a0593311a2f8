/*
** One API call: (WAIT -> READY)* -> FLIGHT -> (WAIT -> READY -> FLIGHT)* ->
** DONE. The transport (the engine, the mock) begins an attempt when the call
** is READY, feeds what it receives, ends the attempt, and ticks the call when
** it is due. Whether and when to retry is decided here. Knows nothing of
** sockets, libcurl or Lua; time is an argument, in seconds.
*/
#ifndef OFOX_CALL_H
#define OFOX_CALL_H

#include "call/progress.h"

/* For one model; 'config' outlives the call. */
void ofox_call_init(struct ofox_call *c, const struct ofox_call_config *config,
                    uint64_t seed, double now);
void ofox_call_free(struct ofox_call *c);   /* detaches; idempotent */
void ofox_call_let_go(struct ofox_call *c); /* called by its transport */
/* Of a READY call: may it begin an attempt? 0; or -1: it is in WAIT, since it
** is held back; DONE: the deadline has passed, or it was refused; or READY for
** another model, since this one is known to be down. */
int ofox_call_admit(struct ofox_call *c, double now);
/* Leaves its place to others while the program does something, if it is held
** back: then 1, and '*why'. And comes back to it. */
int ofox_call_aside(struct ofox_call *c, enum ofox_outcome *why, double now);
void ofox_call_rejoin(struct ofox_call *c, double now);
/* The same as admit, and it does: READY -> FLIGHT. */
int ofox_call_begin(struct ofox_call *c, double now);
/* The same, of one that has just been admitted. */
void ofox_call_start(struct ofox_call *c, double now);
/* The attempt waits until it may have a connection, and its own limits do not
** run yet; it is about to connect; it has: 'reused' if it was used before. */
void ofox_call_queue(struct ofox_call *c);
void ofox_call_connect(struct ofox_call *c, double now);
void ofox_call_connected(struct ofox_call *c, int reused, double now);

/* A header line, a piece of the body. 0, or negative: stop the transfer and
** end the attempt, with any outcome: the call knows the reason. A stream may
** end inside its body: the call is DONE, and the rest is ignored. */
int ofox_call_head(struct ofox_call *c, const char *p, size_t n, double now);
int ofox_call_body(struct ofox_call *c, const char *p, size_t n, double now);

/* Why it failed; unknown for a call that was freed. */
const struct ofox_error *ofox_call_error(const struct ofox_call *c);

/* From now on, what transports tell it is kept in '->tape'. 0 or OFOX_EMEM. */
int ofox_call_record(struct ofox_call *c);
/* There was no memory for something that the attempt needs. */
void ofox_call_starve(struct ofox_call *c);

/* Excludes seconds from the attempt's limits: the program was away. */
void ofox_call_excuse(struct ofox_call *c, double seconds, double now);

/* The body is paused for a slow reader, or resumed. */
void ofox_call_pause(struct ofox_call *c, int paused, double now);
/* The next event, as ofox_event_queue_peek gives it; takes it off. */
int ofox_call_peek(struct ofox_call *c, struct ofox_event *out);
void ofox_call_next(struct ofox_call *c, const struct ofox_event *ev);
/* FLIGHT -> WAIT or DONE. 'sent': a byte of the request has been sent;
** 'detail': adds to the outcome's message or, after a '!', replaces it;
** 'wall': s since 1970. */
void ofox_call_end(struct ofox_call *c, enum ofox_outcome outcome, int sent,
                   struct ofox_span detail, double now, double wall);
/* When the call must be checked again; INFINITY: when bytes arrive. */
double ofox_call_due(const struct ofox_call *c);
/* The limit of the attempt in FLIGHT that has passed, else ANSWERED. */
enum ofox_outcome ofox_call_expired(const struct ofox_call *c, double now);
void ofox_call_tick(struct ofox_call *c, double now); /* WAIT -> READY */
/* Before the next attempt: cancels it; or delays it to 'delay' seconds after
** the last one ended (ignored if that is sooner than planned). */
void ofox_call_veto(struct ofox_call *c);
void ofox_call_postpone(struct ofox_call *c, double delay);
/* -> DONE, with that failure; the transport must have let go of it before. */
void ofox_call_abort(struct ofox_call *c, enum ofox_outcome outcome, int sent,
                     double now);

#endif
