/*
** One API call: READY -> FLIGHT -> (WAIT -> READY -> FLIGHT)* -> DONE.
** Whoever moves bytes (the engine, the mock) begins an attempt when the call
** is READY, feeds what comes back, ends the attempt, and ticks the call when
** it is due. Whether there is a further attempt, and when, is decided here.
** Knows nothing of sockets, libcurl or Lua; time is an argument, in seconds.
*/
#ifndef OFOX_CALL_H
#define OFOX_CALL_H

#include "answer.h"
#include "errors.h"
#include "headers.h"
#include "history.h"
#include "news.h"
#include "redact.h"
#include "retry.h"

enum ofox_call_state { OFOX_READY, OFOX_FLIGHT, OFOX_WAIT, OFOX_DONE };

struct ofox_call_config {
  struct ofox_policy policy;
  int max_retries;
  int models; /* how many can be tried in turn; at least 1 */
  double timeout, connect_timeout, deadline; /* INFINITY: none */
  size_t max_body;
  enum ofox_expect expect;
  uint64_t seed;
};

struct ofox_call {
  struct ofox_call_config config;
  enum ofox_call_state state;
  int attempts; /* begun so far */
  int model;    /* index of the model of this or the next attempt */
  int failed;   /* 'error' holds a failure */
  int fresh;    /* the next attempt must open a connection of its own */
  int no_memory;
  struct ofox_headers head; /* of this attempt's answer */
  struct ofox_buf body;
  struct ofox_error error;    /* why the last attempt failed */
  struct ofox_buf request_id; /* of the last answer; empty: none */
  struct ofox_plan plan;
  enum ofox_source source; /* of plan.delay */
  enum ofox_reason reason;
  int ambiguous;
  int announce; /* a further attempt was planned and nobody was told yet */
  double began, ended; /* the call; its last attempt */
  struct ofox_history history;
  struct ofox_redact secrets;

  /* How the transport forgets this call when the call goes first. */
  void (*detach)(struct ofox_call *c);
  void *transfer;
  struct ofox_note note; /* told of each change of state */

  double _attempt_began, _head_at, _due, _deadline_at;
  int _connected, _reused, _immediate, _zero;
  enum ofox_outcome _stopped; /* why a callback asked to stop */
  uint64_t _random;
};

void ofox_call_init(struct ofox_call *c, const struct ofox_call_config *config,
                    double now);
void ofox_call_free(struct ofox_call *c); /* detaches; idempotent */

/* READY -> FLIGHT: 0; or -1, DONE: the deadline has passed, send nothing. */
int ofox_call_begin(struct ofox_call *c, double now);

/* The connection stands, 'reused' if it carried an answer before. */
void ofox_call_connected(struct ofox_call *c, int reused);

/* A header line, a piece of the body. 0, or negative: stop the transfer and
** end the attempt, with any outcome: the call knows why. */
int ofox_call_head(struct ofox_call *c, const char *p, size_t n, double now);
int ofox_call_body(struct ofox_call *c, const char *p, size_t n);

/*
** FLIGHT -> WAIT or DONE. 'sent': a byte of the request has left; 'detail':
** what the transport knows beyond the outcome; 'wall': seconds since 1970.
*/
void ofox_call_end(struct ofox_call *c, enum ofox_outcome outcome, int sent,
                   struct ofox_span detail, double now, double wall);

/* When the call wants to be looked at again; INFINITY: when bytes come. */
double ofox_call_due(const struct ofox_call *c);

/* The limit of the attempt in FLIGHT that has passed, else ANSWERED. */
enum ofox_outcome ofox_call_expired(const struct ofox_call *c, double now);
/* WAIT -> READY when it is due. */
void ofox_call_tick(struct ofox_call *c, double now);

/* Before the next attempt: no further one; or not before 'delay' seconds
** after the last one ended (ignored if that is sooner than planned). */
void ofox_call_veto(struct ofox_call *c);
void ofox_call_postpone(struct ofox_call *c, double delay);

/* -> DONE, with that failure; the transport must have let go before. */
void ofox_call_abort(struct ofox_call *c, enum ofox_outcome outcome, int sent,
                     double now);

#endif
