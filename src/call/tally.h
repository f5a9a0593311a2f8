/*
** What a call tells the counters of its client: each thing once, whichever way
** the call goes.
** Knows nothing of who reads them. Without a tally all of it does nothing.
*/
#ifndef OFOX_TALLY_H
#define OFOX_TALLY_H

#include "call/state.h"
#include "policy/stats.h"
#include "wire/usage.h"

#include <stdint.h>

enum ofox_tally_end {
  OFOX_TALLY_RUNS,
  OFOX_TALLY_SUCCEEDED,
  OFOX_TALLY_FAILED
};

/* Of each call there is one: it is kept small. */
struct ofox_tally {
  struct ofox_stats *stats; /* outlives the call */
  /* The row of its only model; where it has several, theirs, which are freed
  with it. NULL: it is not counted. A row is gone once the counters are. */
  union {
    struct ofox_stats_model *one;
    struct ofox_stats_model **each;
  } rows;
  uint32_t sends;       /* bytes of the next attempt's body */
  unsigned _asked : 24; /* the model asked last, from 1; 0: none was */
  unsigned _end : 2;    /* enum ofox_tally_end */
  unsigned _begun : 1;
  unsigned _waits : 1;
  double _since; /* it waits; else a moment known to have passed */
};

/* Room for the rows of the call's models, if there are several. 0 or
** OFOX_EMEM. */
int ofox_tally_room(struct ofox_call *c);

/* The call is about to go from its state to another one. */
void ofox_tally_enter(struct ofox_call *c, enum ofox_call_state to);
/* The time: of the end of a wait, or where the call does not keep it. */
void ofox_tally_woke(struct ofox_call *c, double now);
void ofox_tally_at(struct ofox_call *c, double now);
void ofox_tally_received(struct ofox_call *c, size_t bytes);
/* What its answer used. */
void ofox_tally_used(struct ofox_call *c, const struct ofox_usage *u);
/* 'twin' is the hedge of 'c': no call of its own, and an attempt once it
** begins. 't' is its own tally. 0, or OFOX_EMEM. */
int ofox_tally_twin(struct ofox_call *twin, struct ofox_tally *t,
                    const struct ofox_call *c);
void ofox_tally_twin_begins(struct ofox_call *twin);
/* 'other' goes on alone: the end of 'c' is no end of a call. */
void ofox_tally_hand_over(struct ofox_call *c, const struct ofox_call *other);
/* The program has all it wanted of a stream. */
void ofox_tally_leave(struct ofox_call *c, double now);
/* Its answer is of no use: the call has failed, even if it had succeeded. */
void ofox_tally_spoil(struct ofox_call *c, enum ofox_class cls);
/* The call is freed, perhaps before its end. */
void ofox_tally_drop(struct ofox_call *c);

#endif
