#include "call/tally.h"

#include <math.h>
#include <string.h>

/* The row of the model asked last, if it is there. */
static struct ofox_stats_model *row_of(const struct ofox_tally *t) {
  struct ofox_stats_model *row;
  if (t->rows == NULL || t->_asked == 0)
    return NULL;
  row = t->rows[t->_asked - 1];
  return row == &t->stats->other || t->stats->nmodels > 0 ? row : NULL;
}

static void ask(struct ofox_tally *t, int model) {
  if (t->_asked == model + 1)
    return;
  ofox_stats_left(row_of(t));
  t->_asked = model + 1;
  ofox_stats_asked(row_of(t));
}

/* The class of a failure that there was no memory for is not counted. */
static int class_of(const struct ofox_call *c) {
  return c->error != NULL ? (int)c->error->cls : OFOX_STATS_CLASSES;
}

static int has_failed(const struct ofox_call *c) {
  return c->failed || c->no_memory || c->response.no_memory;
}

static void end(struct ofox_call *c, int cls, double latency) {
  struct ofox_tally *t = c->tally;
  struct ofox_stats_end e;
  if (t->end != OFOX_TALLY_RUNS)
    return;
  t->end = cls < 0 ? OFOX_TALLY_SUCCEEDED : OFOX_TALLY_FAILED;
  e.cls = cls;
  /* what was never sent says nothing of the service */
  e.unrated = cls == OFOX_CLASS_CANCELLED || c->attempts == 0;
  e.latency = latency;
  e.first_byte =
      c->clock.answered ? c->clock.answer_at - c->clock.call_began : NAN;
  if (cls >= 0)
    ofox_stats_left(row_of(t));
  ofox_stats_ended(t->stats, &e, t->_now);
}

static double age(const struct ofox_call *c) {
  return c->tally->_now - c->clock.call_began;
}

/* An attempt is over. */
static void land(struct ofox_call *c) {
  const struct ofox_event_queue *s = c->response.queue;
  struct ofox_usage u;
  if (s != NULL && s->usage.n > 0 &&
      ofox_usage_read(ofox_buf_span(&s->usage), &u))
    ofox_tally_used(c, &u);
  if (c->tally->end == OFOX_TALLY_RUNS && has_failed(c))
    ofox_stats_attempt_failed(c->tally->stats, class_of(c));
}

static void take_off(struct ofox_call *c) {
  struct ofox_tally *t = c->tally;
  ask(t, c->model);
  ofox_stats_attempt(t->stats, c->attempts > 1);
  ofox_stats_bytes(t->stats, t->sends, 0);
}

static void begin(struct ofox_tally *t) {
  if (!t->_begun)
    ofox_stats_began(t->stats);
  t->_begun = 1;
}

void ofox_tally_at(struct ofox_call *c, double now) {
  if (c->tally != NULL && now > c->tally->_now)
    c->tally->_now = now;
}

void ofox_tally_enter(struct ofox_call *c, enum ofox_call_state to) {
  struct ofox_tally *t = c->tally;
  if (t == NULL || c->state == to)
    return;
  begin(t);
  ofox_tally_at(c, c->ended);
  if (c->state == OFOX_WAIT)
    ofox_stats_waited(t->stats, t->_now - t->_waits_since);
  else if (c->state == OFOX_FLIGHT)
    land(c);
  if (to == OFOX_WAIT) {
    t->_waits_since = t->_now;
    ofox_stats_waits(t->stats);
  }
  else if (to == OFOX_FLIGHT) {
    take_off(c);
  }
  else if (to == OFOX_DONE) {
    end(c, has_failed(c) ? class_of(c) : -1, age(c));
  }
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
  ofox_stats_used(c->tally->stats, row_of(c->tally), &used);
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
  if (t->end == OFOX_TALLY_SUCCEEDED) {
    t->end = OFOX_TALLY_FAILED;
    ofox_stats_left(row_of(t));
    ofox_stats_spoiled(t->stats, (int)cls);
  }
  end(c, (int)cls, age(c));
}

void ofox_tally_drop(struct ofox_call *c) {
  struct ofox_tally *t = c->tally;
  if (t != NULL && t->_begun && t->end == OFOX_TALLY_RUNS) {
    if (c->state == OFOX_WAIT)
      ofox_stats_waited(t->stats, t->_now - t->_waits_since);
    else if (c->state == OFOX_FLIGHT)
      ofox_stats_attempt_failed(t->stats, OFOX_CLASS_CANCELLED);
    end(c, OFOX_CLASS_CANCELLED, NAN);
  }
  c->tally = NULL;
}
