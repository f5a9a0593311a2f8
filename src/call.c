#include "call.h"

#include <math.h>
#include <string.h>

#include "utf8.h"

/* What is read of a failure's body; the rest is not worth the wait. */
#define FAILURE_BODY (1024 * 1024)
/* An error status is in: so long its body may take. */
#define FAILURE_PATIENCE 2.0

/* State and due time change here only. */
static void enter(struct ofox_call *c, enum ofox_call_state s, double due) {
  c->state = s;
  c->_due = due;
}

static int is_failure(int status) {
  return status >= 300;
}

void ofox_call_init(struct ofox_call *c, const struct ofox_call_config *config,
                    double now) {
  memset(c, 0, sizeof(*c));
  c->config = *config;
  c->_random = config->seed;
  c->began = now;
  c->ended = now;
  c->_deadline_at = now + config->deadline;
  ofox_headers_init(&c->head);
  ofox_buf_init(&c->body, config->max_body);
  ofox_error_init(&c->error);
  ofox_buf_init(&c->request_id, 3 * OFOX_CODE_CAP); /* repair lengthens */
  ofox_redact_init(&c->secrets);
  ofox_history_init(&c->history);
  enter(c, OFOX_READY, INFINITY);
}

void ofox_call_free(struct ofox_call *c) {
  if (c->detach != NULL)
    c->detach(c);
  ofox_headers_free(&c->head);
  ofox_buf_free(&c->body);
  ofox_error_free(&c->error);
  ofox_buf_free(&c->request_id);
  ofox_redact_free(&c->secrets);
  ofox_history_free(&c->history);
  enter(c, OFOX_DONE, INFINITY);
}

int ofox_call_begin(struct ofox_call *c, double now) {
  if (now >= c->_deadline_at) {
    ofox_call_abort(c, OFOX_OUTCOME_DEADLINE, 0, now);
    return -1;
  }
  ofox_headers_clear(&c->head);
  ofox_buf_clear(&c->body);
  c->attempts++;
  c->failed = 0;
  c->announce = 0;
  c->_attempt_began = now;
  c->_connected = 0;
  c->_reused = 0;
  c->_stopped = OFOX_OUTCOME_ANSWERED;
  enter(c, OFOX_FLIGHT, INFINITY);
  return 0;
}

void ofox_call_connected(struct ofox_call *c, int reused) {
  c->_connected = 1;
  c->_reused = reused;
}

int ofox_call_head(struct ofox_call *c, const char *p, size_t n, double now) {
  int was_complete = c->head.complete;
  int rc = ofox_headers_line(&c->head, p, n);
  c->_connected = 1;
  if (rc < 0) {
    c->no_memory |= rc == OFOX_EMEM;
    c->_stopped = OFOX_OUTCOME_TOO_LARGE;
    return rc;
  }
  if (!was_complete) /* trailers buy no time */
    c->_head_at = now;
  return 0;
}

int ofox_call_body(struct ofox_call *c, const char *p, size_t n) {
  size_t cap = c->config.max_body;
  int rc;
  if (is_failure(c->head.status) && cap > FAILURE_BODY)
    cap = FAILURE_BODY;
  if (n > cap - c->body.n) {
    c->_stopped = OFOX_OUTCOME_TOO_LARGE;
    ofox_buf_add(&c->body, p, cap - c->body.n);
    return OFOX_ECAP;
  }
  rc = ofox_buf_add(&c->body, p, n);
  c->no_memory |= rc == OFOX_EMEM;
  return rc;
}

/* The limits of an attempt */

static double limit(const struct ofox_call *c, enum ofox_outcome *which) {
  double at = c->_deadline_at, t;
  *which = OFOX_OUTCOME_DEADLINE;
  t = c->_attempt_began + c->config.timeout;
  if (t < at) {
    at = t;
    *which = OFOX_OUTCOME_TIMEOUT;
  }
  t = c->_attempt_began + c->config.connect_timeout;
  if (!c->_connected && t < at) {
    at = t;
    *which = OFOX_OUTCOME_CONNECT_TIMEOUT;
  }
  t = c->_head_at + fmin(c->config.timeout, FAILURE_PATIENCE);
  if (c->head.complete && is_failure(c->head.status) && t < at) {
    at = t;
    *which = OFOX_OUTCOME_TIMEOUT;
  }
  return at;
}

double ofox_call_due(const struct ofox_call *c) {
  enum ofox_outcome which;
  return c->state == OFOX_FLIGHT ? limit(c, &which) : c->_due;
}

enum ofox_outcome ofox_call_expired(const struct ofox_call *c, double now) {
  enum ofox_outcome which = OFOX_OUTCOME_ANSWERED;
  if (c->state == OFOX_FLIGHT && now >= limit(c, &which))
    return which;
  return OFOX_OUTCOME_ANSWERED;
}

void ofox_call_tick(struct ofox_call *c, double now) {
  if (c->state == OFOX_WAIT && now >= c->_due)
    enter(c, OFOX_READY, INFINITY);
}

/* What the attempt has come to */

/* Of a transfer that ended in 'outcome'; the body is read as it is now. */
static struct ofox_verdict judge(const struct ofox_call *c,
                                 enum ofox_outcome outcome) {
  struct ofox_span body = ofox_buf_span(&c->body);
  struct ofox_verdict v = {
      1, OFOX_OUTCOME_ANSWERED, OFOX_CLASS_INTERNAL, {NULL, 0}};
  v.part = body;
  if (c->head.complete && c->config.expect == OFOX_EXPECT_CONTACT)
    v.failed = 0;
  else if (c->head.complete &&
           (outcome == OFOX_OUTCOME_ANSWERED || c->head.status >= 400))
    v = ofox_answer_judge(c->head.status, ofox_answer_is_framed(&c->head),
                          body, c->config.expect);
  else if (outcome != OFOX_OUTCOME_ANSWERED)
    v.outcome = outcome;
  else
    v.outcome = c->head.status != 0 ? OFOX_OUTCOME_TRUNCATED
                : body.n > 0        ? OFOX_OUTCOME_PROTOCOL
                                    : OFOX_OUTCOME_EMPTY_REPLY;
  return v;
}

/* Takes the secrets out of a text. */
static void redact(struct ofox_call *c, struct ofox_buf *text) {
  c->no_memory |= ofox_redact_apply(&c->secrets, text) != 0;
}

/* 1 if the attempt failed; then 'error' tells how. */
static int read_failure(struct ofox_call *c, enum ofox_outcome outcome) {
  int status = c->head.complete ? c->head.status : 0;
  struct ofox_verdict v = judge(c, outcome);
  c->failed = v.failed;
  if (!v.failed)
    return 0;
  /* before it is read, so that a text that is cut cannot end in a secret */
  redact(c, &c->body);
  v.part = judge(c, outcome).part;
  if (ofox_errors_read(&c->error, status, v.outcome, v.part, v.fallback) != 0)
    c->no_memory = 1;
  return 1;
}

/* A message that says more: what the transport knew, where a redirect goes. */
static void add_detail(struct ofox_call *c, struct ofox_span detail) {
  struct ofox_buf *m = &c->error.message, text, clean;
  struct ofox_span to = ofox_headers_get(&c->head, "location");
  int rc;
  ofox_buf_init(&text, (size_t)-1);
  ofox_buf_init(&clean, (size_t)-1);
  if (c->error.outcome == OFOX_OUTCOME_REDIRECT && to.p != NULL) {
    rc = ofox_buf_adds(m, " to ");
    detail = to;
  }
  else if (c->error.status == 0 && detail.n > 0) {
    rc = ofox_buf_adds(m, ": ");
  }
  else {
    return;
  }
  /* secrets go before the text is cut */
  rc |= ofox_buf_addspan(&text, detail);
  redact(c, &text);
  rc |= ofox_utf8_clean(&clean, ofox_buf_span(&text));
  rc |=
      ofox_buf_addspan(m, ofox_utf8_cut(ofox_buf_span(&clean), m->cap - m->n));
  c->no_memory |= rc != 0;
  ofox_buf_free(&clean);
  ofox_buf_free(&text);
}

static void redact_error(struct ofox_call *c) {
  redact(c, &c->error.message);
  redact(c, &c->error.code);
  redact(c, &c->error.param);
  redact(c, &c->error.server_type);
  redact(c, &c->error.request_id);
}

static void set_request_id(struct ofox_call *c) {
  struct ofox_span id = ofox_headers_request_id(&c->head);
  if (id.p == NULL && c->failed)
    id = ofox_buf_span(&c->error.request_id);
  ofox_buf_clear(&c->request_id);
  if (ofox_utf8_clean(&c->request_id, ofox_utf8_cut(id, OFOX_CODE_CAP)) != 0)
    c->no_memory = 1;
  if (c->failed)
    redact(c, &c->request_id);
}

/* Whether there is a further attempt */

/*
** A kept connection may have died unseen: the server closed it while the
** request was on its way, or said 408 to nobody in particular.
*/
static int is_dead_connection(const struct ofox_call *c) {
  struct ofox_span v = ofox_headers_get(&c->head, "connection");
  if (!c->_reused)
    return 0;
  if (c->head.complete)
    return c->head.status == 408 && ofox_span_ieq(v, "close");
  return c->head.status == 0 && (c->error.outcome == OFOX_OUTCOME_RESET ||
                                 c->error.outcome == OFOX_OUTCOME_SEND ||
                                 c->error.outcome == OFOX_OUTCOME_EMPTY_REPLY);
}

/* The gateway answered for this model, and another one stands behind it. */
static int may_move(const struct ofox_call *c) {
  const struct ofox_error *e = &c->error;
  if (c->model + 1 >= c->config.models)
    return 0;
  return e->cls == OFOX_CLASS_UPSTREAM || e->cls == OFOX_CLASS_UNAVAILABLE ||
         (e->cls == OFOX_CLASS_TIMEOUT &&
          e->outcome != OFOX_OUTCOME_CONNECT_TIMEOUT &&
          e->outcome != OFOX_OUTCOME_DEADLINE);
}

/* The transfer broke or ran out of time with no error status to go by. */
static int is_break(const struct ofox_error *e) {
  return e->status < 300 && e->outcome != OFOX_OUTCOME_ANSWERED &&
         (e->cls == OFOX_CLASS_CONNECTION || e->cls == OFOX_CLASS_TIMEOUT);
}

static int remember(struct ofox_call *c, double elapsed) {
  struct ofox_attempt a;
  memset(&a, 0, sizeof(a));
  a.cls = c->error.cls;
  a.status = c->error.status;
  a.model = c->model;
  a.delay = c->plan.delay;
  a.source = c->source;
  a.elapsed = elapsed;
  return ofox_history_add(&c->history, a, ofox_buf_span(&c->error.code),
                          ofox_buf_span(&c->request_id));
}

/* The failure in hand is the call's last word. */
static void give_up(struct ofox_call *c, enum ofox_reason reason) {
  c->reason = reason;
  c->announce = 0;
  enter(c, OFOX_DONE, INFINITY);
}

static void plan(struct ofox_call *c, double now, double wall) {
  struct ofox_retry_facts f;
  int immediate = is_dead_connection(c) && !c->_immediate;
  f.retryable = c->error.retryable;
  f.should_retry = ofox_headers_should_retry(&c->head);
  f.status = c->error.status;
  f.attempt = c->attempts - 1;
  f.max_retries = c->config.max_retries;
  c->source = ofox_headers_delay(&c->head, wall, &f.hint);
  if (c->source == OFOX_SOURCE_NONE) {
    f.hint = c->error.delay;
    c->source = OFOX_SOURCE_BODY;
  }
  f.zero_before = c->_zero;
  f.free_move = immediate || may_move(c);
  f.left = c->_deadline_at - now;
  f.u = ofox_retry_random(&c->_random);
  ofox_retry_plan(&c->config.policy, &f, &c->plan);
  c->error.retryable = c->plan.reason != OFOX_REASON_NOT_RETRYABLE &&
                       c->plan.reason != OFOX_REASON_SERVER;
  c->_zero = f.hint == 0;
  if (c->plan.retry && f.free_move)
    c->source = OFOX_SOURCE_IMMEDIATE;
  else if (!c->plan.from_server)
    c->source = OFOX_SOURCE_BACKOFF;
  c->_immediate |= immediate;
  c->fresh = immediate;
}

void ofox_call_end(struct ofox_call *c, enum ofox_outcome outcome, int sent,
                   struct ofox_span detail, double now, double wall) {
  if (c->state != OFOX_FLIGHT)
    return;
  c->ended = now;
  if (c->_stopped != OFOX_OUTCOME_ANSWERED)
    outcome = c->_stopped;
  if (!read_failure(c, outcome)) {
    set_request_id(c);
    enter(c, OFOX_DONE, INFINITY);
    return;
  }
  add_detail(c, detail);
  redact_error(c);
  set_request_id(c);
  c->ambiguous = c->error.ambiguous || (sent && is_break(&c->error));
  plan(c, now, wall);
  if (!c->plan.retry) {
    give_up(c, c->error.outcome == OFOX_OUTCOME_DEADLINE ? OFOX_REASON_DEADLINE
                                                         : c->plan.reason);
    return;
  }
  if (remember(c, now - c->_attempt_began) != 0) {
    c->no_memory = 1;
    give_up(c, OFOX_REASON_NONE);
    return;
  }
  if (may_move(c) && !c->fresh)
    c->model++;
  c->announce = 1;
  enter(c, OFOX_WAIT, now + c->plan.delay);
}

/* What others may still say */

/* The attempt planned for is not made: its failure is no earlier one. */
static void forget_plan(struct ofox_call *c, enum ofox_reason reason) {
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
  if (c->ended + delay >= c->_deadline_at) {
    forget_plan(c, OFOX_REASON_DEADLINE);
    return;
  }
  last = ofox_history_last(&c->history);
  last->delay = delay;
  last->source = c->source;
  enter(c, OFOX_WAIT, c->ended + delay);
}

void ofox_call_abort(struct ofox_call *c, enum ofox_outcome outcome, int sent,
                     double now) {
  if (c->state == OFOX_DONE)
    return;
  c->ended = now;
  ofox_headers_clear(&c->head);
  ofox_buf_clear(&c->body);
  ofox_buf_clear(&c->request_id);
  if (ofox_errors_read(&c->error, 0, outcome, OFOX_NOSPAN,
                       OFOX_CLASS_INTERNAL) != 0)
    c->no_memory = 1;
  c->failed = 1;
  c->ambiguous = sent;
  memset(&c->plan, 0, sizeof(c->plan));
  give_up(c, outcome == OFOX_OUTCOME_CANCELLED  ? OFOX_REASON_CANCELLED
             : outcome == OFOX_OUTCOME_DEADLINE ? OFOX_REASON_DEADLINE
                                                : OFOX_REASON_NOT_RETRYABLE);
}
