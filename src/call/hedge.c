#include "call/hedge.h"

#include <math.h>
#include <string.h>

#include "call/failure.h"
#include "call/fallback.h"
#include "call/gate.h"
#include "call/tally.h"

/* Has it begun to answer? Of a stream, something can be read. */
static int answers(const struct ofox_call *c) {
  if (c->config->response.streams)
    return c->response.events->open;
  return c->response.head.complete && !c->clock.failing;
}

int ofox_hedge_is_wanted(const struct ofox_call *c) {
  return c->state == OFOX_FLIGHT && c->twin == NULL && !answers(c) &&
         c->attempts <= c->config->max_retries;
}

double ofox_hedge_due(const struct ofox_call *c) {
  if (!(c->config->hedge > 0) || c->hedged || c->clock.queued ||
      !ofox_hedge_is_wanted(c))
    return INFINITY;
  return c->clock.began + c->config->hedge;
}

void ofox_hedge_tick(struct ofox_call *c, double now) {
  if (c->config->hedge > 0 && now >= ofox_hedge_due(c)) {
    c->hedged = c->news = 1;
    ofox_note_tell(&c->note);
  }
}

void ofox_hedge_tell(struct ofox_call *c) {
  ofox_note_tell(&c->note);
  if (c->twin == NULL)
    return;
  c->news = c->twin->news = 1;
  ofox_note_tell(&c->twin->note);
}

void ofox_hedge_heard(struct ofox_call *c) {
  if (c->twin != NULL && answers(c))
    ofox_hedge_tell(c);
}

void ofox_hedge_begun(struct ofox_call *c) {
  c->news = 0;
  c->hedged = c->twin != NULL;
  if (c->twin == NULL)
    return;
  c->twin->attempts = c->attempts;
  ofox_tally_twin_begins(c);
}

/* Before the first attempt */

int ofox_hedge_inherit(struct ofox_call *twin, const struct ofox_call *c,
                       int own) {
  twin->attempts = c->attempts;
  twin->models = c->models;
  twin->hedge_model = c->hedge_model;
  twin->model = own ? c->models - 1 : c->model;
  twin->next_model = (unsigned)c->model & OFOX_NEXT_MODEL_MAX;
  twin->clock.call_began = c->clock.call_began;
  twin->_random = c->_random;
  twin->_immediate = c->_immediate;
  twin->_zero = c->_zero;
  if (ofox_history_copy(&twin->history, &c->history) != 0)
    return OFOX_EMEM;
  return ofox_redact_copy(&twin->secrets, &c->secrets);
}

int ofox_hedge_may_begin(struct ofox_call *twin, double now) {
  if (now >= ofox_call_deadline(twin))
    return 0;
  if (ofox_gate_ask(twin, now).word == OFOX_GATE_GO &&
      ofox_health_pay(twin, 0) > 0)
    return 1;
  ofox_gate_left(twin, now);
  return 0;
}

void ofox_hedge_join(struct ofox_call *c, struct ofox_call *twin) {
  c->twin = twin;
  twin->twin = c;
}

void ofox_hedge_part(struct ofox_call *c) {
  if (c->twin != NULL)
    c->twin->twin = NULL;
  c->twin = NULL;
}

/* After it */

/* What 'c' takes over from 'other', which is no attempt of it any more: the
** place in the queue, and the model that is next. */
static void take_over(struct ofox_call *c, const struct ofox_call *other,
                      unsigned model) {
  if (other->arrival != 0 && (c->arrival == 0 || other->arrival < c->arrival))
    c->arrival = other->arrival;
  if (!ofox_fallback_is_hedge(other) && model > c->next_model)
    c->next_model = model & OFOX_NEXT_MODEL_MAX;
}

int ofox_hedge_leave(struct ofox_call *c, double now) {
  struct ofox_call *other = c->twin;
  int moves;
  if (other == NULL || !(other->state == OFOX_FLIGHT ||
                         (other->state == OFOX_DONE && !other->failed)))
    return 0;
  moves = ofox_fallback_is_due(c);
  if (ofox_failure_remember(c, &other->history, 0, OFOX_SOURCE_HEDGE,
                            now - c->clock.began) != 0)
    other->no_memory = 1;
  take_over(other, c, (unsigned)(c->model + moves));
  ofox_tally_hand_over(c, other);
  c->left = 1;
  return 1;
}

int ofox_hedge_alone(struct ofox_call *c, struct ofox_call *twin) {
  c->news = twin->news = 0;
  if (c->left)
    return -1;
  if (twin->left || c->state == OFOX_DONE || answers(c) || !twin->hedged)
    return 1;
  return twin->state == OFOX_DONE || answers(twin) ? -1 : 0;
}

/* The attempt of 'other', which is cancelled. */
static int remember_cancelled(struct ofox_call *c,
                              const struct ofox_call *other, double now) {
  struct ofox_attempt a;
  memset(&a, 0, sizeof(a));
  a.cls = OFOX_CLASS_CANCELLED;
  a.model = other->model;
  a.source = OFOX_SOURCE_HEDGE;
  a.elapsed =
      (other->state == OFOX_DONE ? other->ended : now) - other->clock.began;
  return ofox_history_add(
      &c->history, a, ofox_span_of(ofox_outcomes[OFOX_OUTCOME_CANCELLED].code),
      OFOX_NOSPAN);
}

int ofox_hedge_settle(struct ofox_call *c, struct ofox_call *other,
                      double now) {
  int rc = 0;
  if (c->twin != other || other->twin != c)
    return 0;
  if (c->hedged && other->hedged) { /* else the twin has not begun */
    rc = remember_cancelled(c, other, now);
    take_over(c, other, (unsigned)other->model);
    ofox_tally_hand_over(other, c);
    other->left = 1;
  }
  ofox_hedge_part(c);
  return rc;
}
