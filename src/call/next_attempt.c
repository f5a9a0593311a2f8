#include "call/next_attempt.h"

#include "call/dead_connection.h"
#include "call/failure.h"
#include "call/fallback.h"
#include "call/gate.h"
#include "call/hedge.h"

/* The transfer failed or timed out without an error status. */
static int is_break(const struct ofox_error *e) {
  return e->status < 300 && e->outcome != OFOX_OUTCOME_ANSWERED &&
         (e->cls == OFOX_CLASS_CONNECTION || e->cls == OFOX_CLASS_TIMEOUT ||
          e->cls == OFOX_CLASS_STREAM);
}

static void plan(struct ofox_call *c, double now, double wall) {
  struct ofox_retry_facts f;
  int immediate = ofox_dead_connection_is(c) && !c->_immediate;
  int arrived = c->config->once && c->ambiguous;
  f.retryable = c->error->retryable;
  f.should_retry = arrived ? 0
                           : ofox_headers_should_retry(ofox_headers_get(
                                 &c->response.head, "x-should-retry"));
  f.status = c->error->status;
  f.attempt = c->attempts - 1;
  f.max_retries = c->config->max_retries;
  c->source = ofox_headers_delay(&c->response.head, wall, &f.hint);
  if (c->source == OFOX_SOURCE_NONE) {
    f.hint = ofox_body_delay_left(&c->error->pause,
                                  ofox_headers_now(&c->response.head, wall));
    c->source = OFOX_SOURCE_BODY;
  }
  ofox_gate_tell(c, c->source, f.hint, now);
  f.zero_before = c->_zero;
  f.free_move = immediate || ofox_fallback_is_due(c);
  f.left = ofox_call_deadline(c) - now;
  f.u = ofox_retry_random(&c->_random);
  ofox_retry_plan(&c->config->policy, &f, &c->plan);
  if (arrived) /* which no header said */
    c->plan.reason = OFOX_REASON_NOT_RETRYABLE;
  c->error->retryable = c->plan.reason != OFOX_REASON_NOT_RETRYABLE &&
                        c->plan.reason != OFOX_REASON_SERVER;
  c->_zero = f.hint == 0;
  if (c->plan.retry && f.free_move)
    c->source = OFOX_SOURCE_IMMEDIATE;
  else if (!c->plan.from_server)
    c->source = OFOX_SOURCE_BACKOFF;
  c->_immediate |= immediate != 0;
  c->fresh = immediate || c->config->once;
}

/* Why the call ends with the current failure although it is retryable. */
static enum ofox_reason last_reason(const struct ofox_call *c) {
  if (c->response.events->open)
    return OFOX_REASON_PARTIAL;
  return c->error->outcome == OFOX_OUTCOME_DEADLINE ? OFOX_REASON_DEADLINE
                                                    : c->plan.reason;
}

/* Is the retry worth its request? NONE: yes, and it is paid for. */
static enum ofox_reason objection(struct ofox_call *c, double now) {
  double at = now + c->plan.delay;
  double next = ofox_health_next(c, at);
  int rc;
  if (next > at && !ofox_fallback_has_next(c)) {
    c->plan.delay = next - now;
    return OFOX_REASON_CIRCUIT_OPEN;
  }
  rc = ofox_health_pay(c, c->error->cls == OFOX_CLASS_TIMEOUT);
  if (rc < 0)
    c->no_memory = 1;
  return rc == 0 ? OFOX_REASON_BUDGET : OFOX_REASON_NONE;
}

int ofox_next_attempt_plan(struct ofox_call *c, int sent, double now,
                           double wall, enum ofox_reason *reason) {
  c->ambiguous = c->error->ambiguous || (sent && is_break(c->error));
  plan(c, now, wall);
  ofox_gate_ended(c, ofox_health_of(c->error), now);
  *reason = OFOX_REASON_NONE;
  if (ofox_hedge_leave(c, now))
    return 0;
  if (!c->plan.retry || c->response.events->open) {
    *reason = last_reason(c);
    return 0;
  }
  *reason = objection(c, now);
  if (*reason == OFOX_REASON_NONE && !c->no_memory &&
      ofox_failure_remember(c, &c->history, c->plan.delay, c->source,
                            now - c->clock.began) != 0)
    c->no_memory = 1;
  if (*reason != OFOX_REASON_NONE || c->no_memory)
    return 0;
  ofox_fallback_move(c);
  return 1;
}
