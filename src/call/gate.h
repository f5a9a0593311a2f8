/*
** Whether a call may begin an attempt now, for all that the calls of its
** account know of each other: asked before an attempt, told after it. A call
** that may not waits in the order of arrival, where a retry keeps its place;
** only the first of those that wait has a moment at which it is due.
** Knows nothing of retries, or of what becomes of a call that is refused.
*/
#ifndef OFOX_GATE_H
#define OFOX_GATE_H

#include "call/health.h"
#include "call/state.h"

struct ofox_lane;

enum ofox_gate_word {
  OFOX_GATE_GO,
  OFOX_GATE_WAIT,
  OFOX_GATE_REFUSED,
  OFOX_GATE_NO_MEMORY
};

struct ofox_gate_answer {
  enum ofox_gate_word word;
  double due; /* WAIT: when to ask again; INFINITY: it is moved to a moment */
  /* REFUSED: why, and how many seconds from now it might go. */
  enum ofox_outcome outcome;
  enum ofox_reason reason;
  double delay;      /* NaN: that is not known */
  int model_is_down; /* if so: another model may well answer */
};

/* May it begin? After WAIT it waits in the queue, until it goes or leaves. */
struct ofox_gate_answer ofox_gate_ask(struct ofox_call *c, double now);

/* When it will go by what is known now, of a call that waits in the queue. */
double ofox_gate_expects(const struct ofox_call *c, double now);

/* It begins an attempt. */
void ofox_gate_started(struct ofox_call *c, double now);
/* The headers of its answer are complete. */
void ofox_gate_heard(struct ofox_call *c, double now);
/* c->error says to come back in 'hint' seconds; 'source' is what said so. */
void ofox_gate_tell(struct ofox_call *c, enum ofox_source source, double hint,
                    double now);
/* The attempt has ended. Twice: as once. */
void ofox_gate_ended(struct ofox_call *c, enum ofox_health health, double now);
/* The call has ended otherwise: it waits no more, and has no attempt. */
void ofox_gate_cancelled(struct ofox_call *c, double now);
/* It will ask again, after a wait of its own. */
void ofox_gate_retries(struct ofox_call *c);
/* Of an account that other processes share: */

/* They say that a lane is held. */
void ofox_gate_hear(struct ofox_account *a, struct ofox_lane *l, double until,
                    int is_down, double now);
/* Its lease has changed. */
void ofox_gate_leased(struct ofox_account *a, double now);
/* How many could use a moment to start at, the call included. */
size_t ofox_gate_crowd(const struct ofox_call *c, double now);

/* It does not wait in the queue any more. */
void ofox_gate_left(struct ofox_call *c, double now);
/* Its moment has come: the program is to start it. */
void ofox_gate_ready(struct ofox_call *c, double now);
int ofox_gate_is_waiting(const struct ofox_call *c);
/* What keeps a call that waits in the queue: HELD or PACED. */
enum ofox_outcome ofox_gate_keeper(const struct ofox_call *c, double now);
/* The answer to its last attempt, which has ended, used so many tokens. */
void ofox_gate_used(struct ofox_call *c, double tokens);
/* The same as cancelled, at a moment that is not known. */
void ofox_gate_free(struct ofox_call *c);

#endif
