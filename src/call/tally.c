#include "call/tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int ofox_tally_room(struct ofox_call *c) {
  if (c->models > 1)
    c->tally->rows.each =
        calloc((size_t)c->models, sizeof(*c->tally->rows.each));
  return c->models > 1 && c->tally->rows.each == NULL ? OFOX_EMEM : 0;
}

/* The row of the model asked last, if it is there. */
static struct ofox_stats_model *row_of(const struct ofox_call *c) {
  const struct ofox_tally *t = c->tally;
  struct ofox_stats_model *row = t->rows.one;
  if (t->_asked == 0 || row == NULL)
    return NULL;
  if (c->models > 1)
    row = t->rows.each[t->_asked - 1];
  return row == &t->stats->other || t->stats->nmodels > 0 ? row : NULL;
}

static void ask(struct ofox_call *c) {
  struct ofox_tally *t = c->tally;
  unsigned model = (unsigned)c->model + 1;
  if (t->_asked == model)
    return;
  ofox_stats_left(row_of(c));
  t->_asked = model & 0xffffff;
  ofox_stats_asked(row_of(c));
}

/* The class of a failure that there was no memory for is not counted. */
static int class_of(const struct ofox_call *c) {
  return c->error != NULL ? (int)c->error->cls : OFOX_STATS_CLASSES;
}

static int has_failed(const struct ofox_call *c) {
  return c->failed || c->no_memory || c->response.no_memory;
}

/* The latest moment that is known to have passed. */
static double moment(const struct ofox_call *c) {
  double since = c->tally->_since;
  return since > c->ended ? since : c->ended;
}

static void end(struct ofox_call *c, int cls, double latency) {
  struct ofox_tally *t = c->tally;
  struct ofox_stats_end e;
  if (t->_end != OFOX_TALLY_RUNS)
    return;
  t->_end = cls < 0 ? OFOX_TALLY_SUCCEEDED : OFOX_TALLY_FAILED;
  e.cls = cls;
  /* what was never sent says nothing of the service */
  e.unrated = cls == OFOX_CLASS_CANCELLED || c->attempts == 0;
  e.latency = latency;
  e.first_byte =
      c->clock.answered ? c->clock.answer_at - c->clock.call_began : NAN;
  if (cls >= 0)
    ofox_stats_left(row_of(c));
  ofox_stats_ended(t->stats, &e, moment(c));
}

static double age(const struct ofox_call *c) {
  return moment(c) - c->clock.call_began;
}

/* A pair that has answered twice is one call. */
static void finish(struct ofox_call *c) {
  if (c->twin != NULL && c->twin->state == OFOX_DONE && !has_failed(c) &&
      c->tally->_end == OFOX_TALLY_RUNS)
    c->tally->_end = OFOX_TALLY_SUCCEEDED;
  else
    end(c, has_failed(c) ? class_of(c) : -1, age(c));
}

/* An attempt is over. */
static void land(struct ofox_call *c) {
  if (c->tally->_end == OFOX_TALLY_RUNS && has_failed(c))
    ofox_stats_attempt_failed(c->tally->stats, class_of(c));
}

static void take_off(struct ofox_call *c) {
  struct ofox_tally *t = c->tally;
  ask(c);
  ofox_stats_attempt(t->stats, c->attempts > 1);
  ofox_stats_bytes(t->stats, t->sends, 0);
}

static void begin(struct ofox_tally *t) {
  if (!t->_begun)
    ofox_stats_began(t->stats);
  t->_begun = 1;
}

static void wait(struct ofox_call *c) {
  c->tally->_since = moment(c);
  c->tally->_waits = 1;
  ofox_stats_waits(c->tally->stats);
}

void ofox_tally_woke(struct ofox_call *c, double now) {
  struct ofox_tally *t = c->tally;
  if (t == NULL || !t->_waits)
    return;
  t->_waits = 0;
  ofox_stats_waited(t->stats, now - t->_since);
  t->_since = now;
}

void ofox_tally_at(struct ofox_call *c, double now) {
  if (c->tally != NULL && !c->tally->_waits)
    c->tally->_since = now;
}

void ofox_tally_enter(struct ofox_call *c, enum ofox_call_state to) {
  struct ofox_tally *t = c->tally;
  if (t == NULL || c->state == to)
    return;
  begin(t);
  ofox_tally_woke(c, moment(c));
  if (c->state == OFOX_FLIGHT)
    land(c);
  if (to == OFOX_WAIT)
    wait(c);
  else if (to == OFOX_FLIGHT)
    take_off(c);
  else if (to == OFOX_DONE)
    finish(c);
}

int ofox_tally_twin(struct ofox_call *twin, struct ofox_tally *t,
                    const struct ofox_call *c) {
  if (c->tally == NULL)
    return 0;
  *t = *c->tally;
  t->_waits = 0;
  if (twin->model != c->model)
    t->_asked = 0;
  t->_end = OFOX_TALLY_SUCCEEDED; /* until it begins */
  if (c->models > 1)
    t->rows.each = NULL;
  twin->tally = t;
  if (ofox_tally_room(twin) != 0)
    return OFOX_EMEM;
  if (c->models > 1 && t->rows.each != NULL)
    memcpy(t->rows.each, c->tally->rows.each,
           (size_t)c->models * sizeof(*t->rows.each));
  return 0;
}

void ofox_tally_twin_begins(struct ofox_call *twin) {
  if (twin->tally != NULL)
    twin->tally->_end = OFOX_TALLY_RUNS;
}

void ofox_tally_hand_over(struct ofox_call *c, const struct ofox_call *other) {
  struct ofox_tally *t = c->tally;
  if (t == NULL || t->_end != OFOX_TALLY_RUNS)
    return;
  ofox_stats_attempt_failed(t->stats,
                            c->failed ? class_of(c) : OFOX_CLASS_CANCELLED);
  if (row_of(c) != row_of(other))
    ofox_stats_left(row_of(c));
  t->_end = OFOX_TALLY_SUCCEEDED;
}

void ofox_tally_received(struct ofox_call *c, size_t bytes) {
  if (c->tally != NULL)
    ofox_stats_bytes(c->tally->stats, 0, bytes);
}

void ofox_tally_used(struct ofox_call *c, const struct ofox_usage *u) {
  struct ofox_stats_usage used;
  if (c->tally == NULL)
    return;
  used.input = u->input;
  used.output = u->output;
  used.cached = u->cached;
  used.reasoning = u->reasoning;
  ofox_stats_used(c->tally->stats, row_of(c), &used);
}

void ofox_tally_leave(struct ofox_call *c, double now) {
  if (c->tally == NULL || !c->tally->_begun)
    return;
  ofox_tally_at(c, now);
  end(c, -1, age(c));
}

void ofox_tally_spoil(struct ofox_call *c, enum ofox_class cls) {
  struct ofox_tally *t = c->tally;
  if (t == NULL || !t->_begun)
    return;
  if (t->_end == OFOX_TALLY_SUCCEEDED) {
    t->_end = OFOX_TALLY_FAILED;
    ofox_stats_left(row_of(c));
    ofox_stats_spoiled(t->stats, (int)cls);
  }
  end(c, (int)cls, age(c));
}

void ofox_tally_drop(struct ofox_call *c) {
  struct ofox_tally *t = c->tally;
  if (t == NULL)
    return;
  if (t->_begun && t->_end == OFOX_TALLY_RUNS) {
    ofox_tally_woke(c, moment(c));
    if (c->state == OFOX_FLIGHT)
      ofox_stats_attempt_failed(t->stats, OFOX_CLASS_CANCELLED);
    end(c, OFOX_CLASS_CANCELLED, NAN);
  }
  if (c->models > 1)
    free(t->rows.each);
  c->tally = NULL;
}
