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

enum ofox_tally_end { OFOX_TALLY_RUNS, OFOX_TALLY_SUCCEEDED, OFOX_TALLY_FAILED };

struct ofox_tally {
  struct ofox_stats *stats; /* outlives the call */
  /* The rows of its models, or NULL: they are not counted. A row is gone once
  the counters were freed. */
  struct ofox_stats_model *const *rows;
  size_t sends; /* bytes of the next attempt's body */
  enum ofox_tally_end end;
  int _begun, _asked; /* the model asked last, from 1; 0: none was */
  double _now, _waits_since;
};

/* The call is about to go from its state to another one. */
void ofox_tally_enter(struct ofox_call *c, enum ofox_call_state to);
/* The time, where the call itself does not keep it. */
void ofox_tally_at(struct ofox_call *c, double now);
void ofox_tally_received(struct ofox_call *c, size_t bytes);
/* What its answer used. */
void ofox_tally_used(struct ofox_call *c, const struct ofox_usage *u);
/* The program has all it wanted of a stream. */
void ofox_tally_leave(struct ofox_call *c, double now);
/* Its answer is of no use: the call has failed, even if it had succeeded. */
void ofox_tally_spoil(struct ofox_call *c, enum ofox_class cls);
/* The call is freed, perhaps before its end. */
void ofox_tally_drop(struct ofox_call *c);

#endif
