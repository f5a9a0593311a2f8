#include "call/call.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "call/failure.h"
#include "call/fallback.h"
#include "call/gate.h"
#include "call/hedge.h"
#include "call/next_attempt.h"
#include "call/tally.h"
#include "call/used.h"

/* The state changes here only; the due time here, and where a call that is
** held back is moved (gate.c). */
static void enter(struct ofox_call *c, enum ofox_call_state s, double due) {
  if (c->state == OFOX_FLIGHT)
    ofox_used_by_stream(c);
  ofox_tally_enter(c, s);
  c->state = s;
  c->_due = due;
  ofox_hedge_tell(c);
}

void ofox_call_init(struct ofox_call *c, const struct ofox_call_config *config,
                    uint64_t seed, double now) {
  memset(c, 0, sizeof(*c));
  c->config = config;
  c->models = 1;
  c->_random = seed;
  c->fresh =
      config->once != 0; /* a kept one may be dead, which looks like it */
  c->clock.call_began = c->ended = now;
  ofox_response_init(&c->response, &config->response);
  ofox_buf_init(&c->request_id, 3 * OFOX_CODE_CAP); /* repair lengthens */
  ofox_redact_init(&c->secrets);
  ofox_history_init(&c->history);
  enter(c, OFOX_READY, INFINITY);
}

static void free_error(struct ofox_error **e) {
  if (*e == NULL)
    return;
  ofox_error_free(*e);
  free(*e);
  *e = NULL;
}

static void free_tape(struct ofox_call *c) {
  if (c->tape != NULL)
    ofox_tape_free(c->tape);
  free(c->tape);
  c->tape = NULL;
}

int ofox_call_record(struct ofox_call *c) {
  if (c->tape == NULL) {
    c->tape = malloc(sizeof(*c->tape));
    if (c->tape == NULL)
      return OFOX_EMEM;
    ofox_tape_init(c->tape);
  }
  return 0;
}

void ofox_call_free(struct ofox_call *c) {
  ofox_hedge_part(c);
  ofox_gate_free(c);
  ofox_tally_drop(c);
  if (c->host != NULL)
    c->host->detach(c);
  ofox_note_drop(&c->note);
  memset(&c->note, 0, sizeof(c->note));
  ofox_response_free(&c->response);
  free_error(&c->error);
  free_error(&c->cause);
  ofox_buf_free(&c->request_id);
  ofox_redact_free(&c->secrets);
  ofox_history_free(&c->history);
  free_tape(c);
  enter(c, OFOX_DONE, INFINITY);
}

void ofox_call_let_go(struct ofox_call *c) {
  c->host = NULL;
  c->transfer = NULL;
  ofox_note_tell(&c->note); /* the wait ends, or restarts */
  ofox_note_leave(&c->note);
}

void ofox_call_queue(struct ofox_call *c) {
  c->clock.queued = 1;
}

void ofox_call_connect(struct ofox_call *c, double now) {
  if (c->clock.queued)
    c->clock.began = now;
  c->clock.queued = 0;
}

void ofox_call_connected(struct ofox_call *c, int reused, double now) {
  ofox_call_connect(c, now);
  ofox_tape_note(c->tape, OFOX_MOMENT_CONNECTED, reused, now, OFOX_NOSPAN);
  c->clock.connected = 1;
  c->_reused = reused != 0;
}

/* Interim answers are skipped: the last status line counts. */
static void note_answer(struct ofox_clock *c, const char *p, size_t n,
                        double now) {
  static const char first[] = "HTTP/";
  if (n < sizeof(first) - 1 || memcmp(p, first, sizeof(first) - 1) != 0)
    return;
  c->answered = 1;
  c->answer_at = now;
}

int ofox_call_head(struct ofox_call *c, const char *p, size_t n, double now) {
  struct ofox_response *r = &c->response;
  struct ofox_span line = {p, n};
  int was_complete = r->head.complete;
  int rc = ofox_response_head(r, p, n);
  ofox_tape_note(c->tape, OFOX_MOMENT_HEAD, 0, now, line);
  ofox_tally_received(c, n);
  c->clock.connected = 1;
  if (rc != 0 || was_complete) /* trailers extend no limit */
    return rc;
  note_answer(&c->clock, p, n, now);
  c->clock.head_at = c->clock.byte_at = now;
  c->clock.failing = ofox_response_is_failure(r);
  c->clock.streaming =
      r->head.complete && r->config->streams && !c->clock.failing;
  if (r->head.complete) {
    ofox_gate_heard(c, now);
    ofox_hedge_heard(c);
  }
  return 0;
}

int ofox_call_body(struct ofox_call *c, const char *p, size_t n, double now) {
  struct ofox_span piece = {p, n};
  int rc = ofox_response_body(&c->response, p, n);
  ofox_tape_note(c->tape, OFOX_MOMENT_BODY, 0, now, piece);
  ofox_tally_received(c, n);
  c->clock.byte_at = now;
  if (rc == 0 && c->response.events->ended) {
    c->ended = now;
    ofox_gate_ended(c, OFOX_HEALTH_GOOD, now);
    enter(c, OFOX_DONE, INFINITY);
  }
  else if (ofox_event_queue_has_event(c->response.events)) {
    ofox_hedge_tell(c);
  }
  return rc;
}

const struct ofox_error *ofox_call_error(const struct ofox_call *c) {
  static const struct ofox_error unknown;
  return c->error != NULL ? c->error : &unknown;
}

void ofox_call_starve(struct ofox_call *c) {
  c->no_memory = 1;
}

void ofox_call_excuse(struct ofox_call *c, double seconds, double now) {
  c->clock.began = fmin(now, c->clock.began + seconds);
  c->clock.head_at = fmin(now, c->clock.head_at + seconds);
  c->clock.byte_at = fmin(now, c->clock.byte_at + seconds);
}

void ofox_call_pause(struct ofox_call *c, int paused, double now) {
  c->clock.paused = paused;
  c->clock.byte_at = now;
}

int ofox_call_peek(struct ofox_call *c, struct ofox_event *out) {
  return c->response.queue != NULL &&
         ofox_event_queue_peek(c->response.queue, out);
}

void ofox_call_next(struct ofox_call *c, const struct ofox_event *ev) {
  ofox_event_queue_next(c->response.queue, ev);
  if (c->clock.paused && c->host != NULL && ofox_call_has_room(c))
    c->host->resume(c);
}

double ofox_call_due(const struct ofox_call *c) {
  enum ofox_outcome which;
  return c->state == OFOX_FLIGHT
             ? fmin(ofox_hedge_due(c),
                    ofox_time_limits_next(&c->clock, &c->config->limits,
                                          &which))
             : c->_due;
}

enum ofox_outcome ofox_call_expired(const struct ofox_call *c, double now) {
  enum ofox_outcome which = OFOX_OUTCOME_ANSWERED;
  if (c->state == OFOX_FLIGHT &&
      now >= ofox_time_limits_next(&c->clock, &c->config->limits, &which))
    return which;
  return OFOX_OUTCOME_ANSWERED;
}

void ofox_call_tick(struct ofox_call *c, double now) {
  if (c->state == OFOX_WAIT && now >= c->_due) {
    ofox_tally_woke(c, now);
    enter(c, OFOX_READY, INFINITY);
    ofox_gate_ready(c, now);
  }
  ofox_hedge_tick(c, now);
}

/* The current failure is the outcome of the call. */
static void give_up(struct ofox_call *c, enum ofox_reason reason) {
  c->reason = reason;
  c->announce = 0;
  enter(c, OFOX_DONE, INFINITY);
}

/* What follows from a failure: another attempt, or the end. */
static void plan_next(struct ofox_call *c, int sent, double now, double wall) {
  enum ofox_reason reason;
  if (!ofox_next_attempt_plan(c, sent, now, wall, &reason)) {
    give_up(c, reason);
    if (c->left)
      ofox_hedge_part(c);
    return;
  }
  c->announce = 1;
  ofox_gate_retries(c);
  enter(c, OFOX_WAIT, now + c->plan.delay);
}

void ofox_call_end(struct ofox_call *c, enum ofox_outcome outcome, int sent,
                   struct ofox_span detail, double now, double wall) {
  int rc;
  if (c->state != OFOX_FLIGHT)
    return;
  if (c->tape != NULL)
    ofox_tape_keep(c->tape, OFOX_MOMENT_END, outcome, sent, now, detail);
  c->ended = now;
  c->wall = wall;
  if (c->response.stopped != OFOX_OUTCOME_ANSWERED)
    outcome = c->response.stopped;
  rc = ofox_failure_read(c, outcome, detail);
  /* lack of memory is the error to report: no attempt can help */
  if (rc < 0 || (rc > 0 && (c->no_memory || c->response.no_memory))) {
    ofox_gate_cancelled(c, now);
    give_up(c, OFOX_REASON_NONE);
  }
  else if (rc > 0) {
    plan_next(c, sent, now, wall);
  }
  else {
    ofox_gate_ended(c, OFOX_HEALTH_GOOD, now);
    enter(c, OFOX_DONE, INFINITY);
  }
}

/* What others may still request */

/* The planned attempt is not made: its failure is not an earlier one. */
static void forget_plan(struct ofox_call *c, enum ofox_reason reason) {
  ofox_gate_cancelled(c, c->ended);
  c->model = ofox_history_last(&c->history)->model;
  ofox_history_drop_last(&c->history);
  give_up(c, reason);
}

static int is_between(const struct ofox_call *c) {
  return c->failed && (c->state == OFOX_WAIT || c->state == OFOX_READY);
}

void ofox_call_veto(struct ofox_call *c) {
  if (is_between(c))
    forget_plan(c, OFOX_REASON_HOOK);
}

void ofox_call_postpone(struct ofox_call *c, double delay) {
  struct ofox_attempt *last;
  if (!is_between(c) || !(delay > c->plan.delay))
    return;
  c->plan.delay = delay;
  c->source = OFOX_SOURCE_HOOK;
  if (c->ended + delay >= ofox_call_deadline(c)) {
    forget_plan(c, OFOX_REASON_DEADLINE);
    return;
  }
  last = ofox_history_last(&c->history);
  last->delay = delay;
  last->source = c->source;
  enter(c, OFOX_WAIT, c->ended + delay);
  if (c->host != NULL)
    c->host->moved(c);
}

/* The current failure becomes the cause of the next one. */
static void keep_cause(struct ofox_call *c) {
  c->cause = c->error;
  c->cause_ended = c->ended;
  c->cause_delay = c->plan.delay;
  c->cause_ambiguous = c->ambiguous != 0;
  c->error = NULL;
}

/* Discards what was received of an answer; of a stream that has begun, the
** head may still be queried. */
static void forget_answer(struct ofox_call *c) {
  if (c->response.events->open) {
    ofox_failure_request_id(c);
  }
  else {
    ofox_headers_clear(&c->response.head);
    ofox_buf_clear(&c->request_id);
  }
  ofox_buf_clear(&c->response.body);
  ofox_response_drop_events(&c->response);
}

/* Ends the other of a pair with it. */
static void abort_twin(struct ofox_call *c, double now) {
  struct ofox_call *twin = c->twin;
  if (twin == NULL)
    return;
  (void)ofox_hedge_settle(c, twin, now);
  if (twin->host != NULL)
    twin->host->detach(twin);
  ofox_call_abort(twin, OFOX_OUTCOME_CANCELLED, 0, now);
}

void ofox_call_abort(struct ofox_call *c, enum ofox_outcome outcome, int sent,
                     double now) {
  abort_twin(c, now);
  /* events that the reader has not taken yet can still be withheld */
  if (c->state == OFOX_DONE && !ofox_event_queue_has_event(c->response.events))
    return;
  ofox_gate_cancelled(c, now);
  if (is_between(c))
    keep_cause(c);
  else
    forget_answer(c);
  c->ended = now;
  if (ofox_failure_room(c) != 0 ||
      ofox_error_read(c->error, 0, outcome, OFOX_NOSPAN,
                      OFOX_CLASS_INTERNAL) != 0)
    c->no_memory = 1;
  c->failed = 1;
  c->ambiguous = sent;
  memset(&c->plan, 0, sizeof(c->plan));
  give_up(c, ofox_outcomes[outcome].cls == OFOX_CLASS_CANCELLED
                 ? OFOX_REASON_CANCELLED
             : outcome == OFOX_OUTCOME_DEADLINE ? OFOX_REASON_DEADLINE
                                                : OFOX_REASON_NOT_RETRYABLE);
}

/* Before an attempt */

/* The call may not begin: with attempts, the failure in hand is its outcome.
 */
static void refuse(struct ofox_call *c, const struct ofox_gate_answer *a,
                   double now) {
  if (is_between(c)) {
    c->plan.delay = a->delay;
    forget_plan(c, a->reason);
    return;
  }
  c->ended = now;
  if (ofox_failure_room(c) != 0 ||
      ofox_error_read(c->error, 0, a->outcome, OFOX_NOSPAN,
                      OFOX_CLASS_INTERNAL) != 0)
    c->no_memory = 1;
  c->failed = 1;
  c->plan.delay = a->delay;
  give_up(c, a->reason);
}

/* It may not go. Returns -1. */
static int obey(struct ofox_call *c, const struct ofox_gate_answer *a,
                double now) {
  if (a->word == OFOX_GATE_NO_MEMORY) {
    c->no_memory = 1;
    give_up(c, OFOX_REASON_NONE);
  }
  else if (a->model_is_down && ofox_fallback_has_next(c)) {
    ofox_gate_left(c, now);
    c->model++; /* with a body of its own, to be prepared */
    enter(c, OFOX_READY, INFINITY);
  }
  else if (a->word == OFOX_GATE_WAIT) {
    enter(c, OFOX_WAIT, a->due);
  }
  else {
    refuse(c, a, now);
  }
  return -1;
}

int ofox_call_admit(struct ofox_call *c, double now) {
  struct ofox_gate_answer a;
  if (now >= ofox_call_deadline(c) && !ofox_gate_is_waiting(c)) {
    ofox_call_abort(c, OFOX_OUTCOME_DEADLINE, 0, now);
    return -1;
  }
  a = ofox_gate_ask(c, now);
  return a.word == OFOX_GATE_GO ? 0 : obey(c, &a, now);
}

int ofox_call_aside(struct ofox_call *c, enum ofox_outcome *why, double now) {
  if (c->state != OFOX_WAIT || !ofox_gate_is_waiting(c))
    return 0;
  *why = ofox_gate_keeper(c, now);
  ofox_gate_left(c, now);
  return 1;
}

void ofox_call_rejoin(struct ofox_call *c, double now) {
  struct ofox_gate_answer a;
  if (c->state != OFOX_WAIT)
    return;
  a = ofox_gate_ask(c, now);
  if (a.word == OFOX_GATE_GO)
    enter(c, OFOX_READY, INFINITY);
  else if (a.word == OFOX_GATE_WAIT &&
           !(a.model_is_down && ofox_fallback_has_next(c)))
    c->_due = a.due; /* it waits on: that is no news */
  else
    (void)obey(c, &a, now);
  if (c->host != NULL)
    c->host->moved(c);
}

int ofox_call_begin(struct ofox_call *c, double now) {
  if (ofox_call_admit(c, now) != 0)
    return -1;
  ofox_call_start(c, now);
  return 0;
}

void ofox_call_start(struct ofox_call *c, double now) {
  double call_began = c->clock.call_began;
  ofox_gate_started(c, now);
  ofox_response_clear(&c->response);
  c->attempts++;
  c->failed = 0;
  c->announce = 0;
  c->_reused = 0;
  ofox_hedge_begun(c);
  memset(&c->clock, 0, sizeof(c->clock));
  c->clock.call_began = call_began;
  c->clock.began = now;
  ofox_tape_note(c->tape, OFOX_MOMENT_BEGIN, 0, now, OFOX_NOSPAN);
  enter(c, OFOX_FLIGHT, INFINITY);
}
