#include "call/gate.h"

#include <math.h>
#include <stddef.h>

static struct ofox_call *call_of(struct ofox_turn *turn) {
  return (struct ofox_call *)(void *)((char *)turn -
                                      offsetof(struct ofox_call, ticket.turn));
}

static double later(double a, double b) {
  return a > b ? a : b;
}

static double patience(const struct ofox_call *c) {
  return c->config->policy.max_server_delay;
}

static int is_paced(const struct ofox_call *c, const struct ofox_lane *l) {
  const struct ofox_account *a = c->ticket.account;
  return l == &a->all && a->paces && c->config->paces;
}

/* When a call may start if it is the next of the lane. */
static double next_of(const struct ofox_call *c, const struct ofox_lane *l,
                      double now) {
  double at = now;
  if (c->config->holds)
    at = ofox_hold_next(&l->hold, now, patience(c));
  if (is_paced(c, l))
    at = later(at, ofox_pace_next(&c->ticket.account->pace, now,
                                  c->ticket.tokens));
  return at;
}

/* When it will start by what is known, with those before it. */
static double turn_of(const struct ofox_call *c, const struct ofox_lane *l,
                      double now) {
  size_t before = ofox_turns_before(&l->turns, &c->ticket.turn);
  double at = now;
  if (c->config->holds)
    at = ofox_hold_at(&l->hold, now, before);
  if (is_paced(c, l))
    at = later(at, ofox_pace_at(&c->ticket.account->pace, now, before,
                                c->ticket.tokens * (double)before,
                                c->ticket.tokens));
  return at;
}

/* The first of a lane is due at another moment than it knew. NaN: at once, for
** the present is not known. */
static void wake(struct ofox_lane *l, double now) {
  struct ofox_turn *first = ofox_turns_first(&l->turns);
  struct ofox_call *c;
  double due;
  if (first == NULL) {
    ofox_hold_idle(&l->hold, now);
    return;
  }
  c = call_of(first);
  if (c->state != OFOX_WAIT)
    return;
  due = isnan(now) ? 0 : fmin(next_of(c, l, now), ofox_call_deadline(c));
  if (due == c->_due)
    return;
  c->_due = due;
  if (c->moved != NULL)
    c->moved(c);
}

/* Of this or the next attempt. */
static uint64_t model_of(const struct ofox_call *c) {
  return c->ticket.models != NULL ? c->ticket.models[c->model]
                                  : c->ticket.model;
}

static struct ofox_lane *lane_at(const struct ofox_ticket *t, uint64_t model) {
  return model == 0 ? &t->account->all
                    : ofox_account_lane(t->account, model);
}

void ofox_gate_left(struct ofox_call *c, double now) {
  struct ofox_ticket *t = &c->ticket;
  struct ofox_lane *l;
  if (!ofox_turns_waits(&t->turn))
    return;
  l = lane_at(t, t->waits);
  if (l == NULL) /* the account has been freed */
    return;
  ofox_turns_leave(&l->turns, &t->turn);
  wake(l, now);
}

static int is_behind(const struct ofox_call *c, const struct ofox_lane *l) {
  const struct ofox_turn *first = ofox_turns_first(&l->turns);
  return first != NULL && first->order < c->ticket.turn.order;
}

static struct ofox_gate_answer refused(const struct ofox_call *c,
                                       const struct ofox_lane *l,
                                       enum ofox_reason reason, double at,
                                       double now) {
  struct ofox_gate_answer a = {OFOX_GATE_REFUSED, INFINITY,
                               OFOX_OUTCOME_PACED, OFOX_REASON_NONE, 0};
  if (c->config->holds && l->hold.held &&
      ofox_hold_at(&l->hold, now, 0) > now)
    a.outcome = OFOX_OUTCOME_HELD;
  a.reason = reason;
  a.delay = at - now;
  return a;
}

/* Waits in a lane, or is refused since that would not help. */
static struct ofox_gate_answer keep(struct ofox_call *c, struct ofox_lane *l,
                                    double at, double now) {
  struct ofox_gate_answer a = {OFOX_GATE_WAIT, INFINITY, OFOX_OUTCOME_HELD,
                               OFOX_REASON_NONE, 0};
  struct ofox_ticket *t = &c->ticket;
  double deadline = ofox_call_deadline(c);
  if (c->config->holds && ofox_hold_refuses(&l->hold, now, patience(c)))
    return refused(c, l, OFOX_REASON_DELAY_TOO_LONG, l->hold.until, now);
  if (deadline < INFINITY) {
    double expected = turn_of(c, l, now);
    if (expected >= deadline && expected < INFINITY)
      return refused(c, l, OFOX_REASON_DEADLINE, expected, now);
  }
  if (ofox_turns_waits(&t->turn) && t->waits != l->model)
    ofox_gate_left(c, now);
  t->waits = l->model;
  ofox_turns_wait(&l->turns, &t->turn);
  a.due = fmin(ofox_turns_first(&l->turns) == &t->turn ? at : INFINITY,
               deadline);
  return a;
}

/* 1: the lane lets it pass; 0: '*out' is the answer. */
static int passes(struct ofox_call *c, struct ofox_lane *l, double now,
                  struct ofox_gate_answer *out) {
  double at;
  if (l == NULL)
    return 1;
  if (l->turns.n == 0)
    ofox_hold_idle(&l->hold, now);
  at = is_behind(c, l) ? INFINITY : next_of(c, l, now);
  if (at <= now)
    return 1;
  *out = keep(c, l, at, now);
  if (out->word == OFOX_GATE_REFUSED)
    ofox_gate_left(c, now);
  return 0;
}

double ofox_gate_expects(const struct ofox_call *c, double now) {
  const struct ofox_ticket *t = &c->ticket;
  if (!ofox_turns_waits(&t->turn))
    return c->_due;
  return later(now, turn_of(c, lane_at(t, t->waits), now));
}

struct ofox_gate_answer ofox_gate_ask(struct ofox_call *c, double now) {
  struct ofox_gate_answer a = {OFOX_GATE_GO, INFINITY, OFOX_OUTCOME_ANSWERED,
                               OFOX_REASON_NONE, 0};
  struct ofox_ticket *t = &c->ticket;
  uint64_t model = model_of(c);
  if (t->account == NULL || ofox_account_is_quiet(t->account) ||
      !(c->config->holds || c->config->paces))
    return a;
  if (ofox_turns_waits(&t->turn) && now >= ofox_call_deadline(c)) {
    a = refused(c, lane_at(t, t->waits), OFOX_REASON_DEADLINE,
                ofox_gate_expects(c, now), now);
    ofox_gate_left(c, now);
    return a;
  }
  ofox_turns_arrive(&t->account->all.turns, &t->turn);
  if (model != 0 && !passes(c, ofox_account_lane(t->account, model), now, &a))
    return a;
  (void)passes(c, &t->account->all, now, &a);
  return a;
}

void ofox_gate_started(struct ofox_call *c, double now) {
  struct ofox_ticket *t = &c->ticket;
  struct ofox_account *a = t->account;
  struct ofox_lane *own;
  if (a == NULL || t->started)
    return;
  t->started = 1;
  t->probe = t->probe_of_all = 0;
  if (ofox_account_is_quiet(a))
    return;
  own = ofox_account_lane(a, model_of(c));
  if (c->config->holds && own != NULL)
    t->probe = ofox_hold_started(&own->hold, now);
  if (c->config->holds)
    t->probe_of_all = ofox_hold_started(&a->all.hold, now);
  if (a->paces)
    ofox_pace_started(&a->pace, &t->pace, t->tokens, now);
  ofox_gate_left(c, now);
  if (own != NULL)
    wake(own, now);
  wake(&a->all, now);
}

/* What the answer says of the quota. */
static void hear_pace(struct ofox_call *c, double now) {
  struct ofox_ratelimit r;
  struct ofox_pace_words said[OFOX_PACE_UNITS];
  /* without a Date of its own, a reset that is a date says nothing here */
  ofox_headers_ratelimit(&c->response.head, NAN, &r);
  said[OFOX_PACE_REQUESTS].limit = r.limit_requests;
  said[OFOX_PACE_REQUESTS].remaining = r.remaining_requests;
  said[OFOX_PACE_REQUESTS].reset = r.reset_requests;
  said[OFOX_PACE_TOKENS].limit = r.limit_tokens;
  said[OFOX_PACE_TOKENS].remaining = r.remaining_tokens;
  said[OFOX_PACE_TOKENS].reset = r.reset_tokens;
  ofox_pace_heard(&c->ticket.account->pace, &c->ticket.pace, said, now);
}

/* The probe has been answered. */
static void answered(struct ofox_call *c, double now) {
  struct ofox_ticket *t = &c->ticket;
  struct ofox_lane *own = ofox_account_lane(t->account, model_of(c));
  if (t->probe != 0 && own != NULL) {
    ofox_hold_answered(&own->hold, t->probe, now);
    wake(own, now);
  }
  if (t->probe_of_all != 0) {
    ofox_hold_answered(&t->account->all.hold, t->probe_of_all, now);
    wake(&t->account->all, now);
  }
  t->probe = t->probe_of_all = 0;
}

void ofox_gate_heard(struct ofox_call *c, double now) {
  struct ofox_ticket *t = &c->ticket;
  if (!t->started)
    return;
  if (t->account->paces) {
    hear_pace(c, now);
    wake(&t->account->all, now);
  }
  if (c->response.head.status < 400)
    answered(c, now);
}

/* Does the answer speak of the account, or of one model? */
static int is_of_account(const struct ofox_call *c) {
  struct ofox_ratelimit r;
  ofox_headers_ratelimit(&c->response.head, c->wall, &r);
  if (r.remaining_requests > 0 || r.remaining > 0)
    return 0; /* the account has room */
  if (r.remaining_requests == 0 || r.remaining_tokens == 0 ||
      r.remaining == 0 || c->hinted == OFOX_SOURCE_RESET_REQUESTS ||
      c->hinted == OFOX_SOURCE_RESET_TOKENS || c->hinted == OFOX_SOURCE_RESET)
    return 1;
  return c->error->cls == OFOX_CLASS_RATE_LIMIT &&
         ofox_span_eq(ofox_buf_span(&c->error->code), "rate_limit_exceeded");
}

/* Others are told what this call was told. */
static void tell(struct ofox_call *c, double now) {
  struct ofox_ticket *t = &c->ticket;
  struct ofox_lane *l;
  if (!c->config->holds || !c->failed || isnan(c->hint) || c->hint < 0 ||
      (c->error->cls != OFOX_CLASS_RATE_LIMIT &&
       c->error->cls != OFOX_CLASS_UNAVAILABLE))
    return;
  answered(c, now);
  l = model_of(c) == 0 || is_of_account(c)
          ? &t->account->all
          : ofox_account_hold(t->account, model_of(c));
  if (l != NULL)
    ofox_hold_until(&l->hold, now + c->hint, now);
}

static void finish(struct ofox_call *c, int has_word, double now) {
  struct ofox_ticket *t = &c->ticket;
  if (!t->started)
    return;
  t->started = 0;
  if (has_word)
    tell(c, now);
  if (t->account->paces) {
    ofox_pace_ended(&t->account->pace, &t->pace, -1, now);
    wake(&t->account->all, now);
  }
}

void ofox_gate_ended(struct ofox_call *c, double now) {
  finish(c, 1, now);
}

void ofox_gate_cancelled(struct ofox_call *c, double now) {
  finish(c, 0, now);
  ofox_gate_left(c, now);
}
