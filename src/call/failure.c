#include "call/failure.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* Redacts the secrets in a text. */
static void redact(struct ofox_call *c, struct ofox_buf *text) {
  c->no_memory |= ofox_redact_apply(&c->secrets, text) != 0;
}

int ofox_failure_room(struct ofox_call *c) {
  if (c->error != NULL)
    return 0;
  c->error = malloc(sizeof(*c->error));
  if (c->error == NULL) {
    c->no_memory = 1;
    return OFOX_EMEM;
  }
  ofox_error_init(c->error);
  return 0;
}

/* 1 if the attempt failed; then 'error' tells how. Or OFOX_EMEM. */
static int read_failure(struct ofox_call *c, enum ofox_outcome outcome) {
  struct ofox_response *r = &c->response;
  int status = r->head.complete ? r->head.status : 0;
  struct ofox_verdict v = ofox_response_judge(r, outcome);
  c->failed = v.failed;
  if (!v.failed)
    return 0;
  if (ofox_failure_room(c) != 0)
    return OFOX_EMEM;
  /* before reading, so that a truncated text cannot end in a secret */
  redact(c, &r->body);
  if (r->queue != NULL)
    redact(c, &r->queue->failure);
  v.part = ofox_response_judge(r, outcome).part;
  if (ofox_error_read(c->error, status, v.outcome, v.part, v.fallback) != 0)
    c->no_memory = 1;
  if (v.outcome == OFOX_OUTCOME_STREAM_TOO_LARGE)
    c->error->retryable = 0; /* it would be just as large */
  return 1;
}

/* Does the transport's detail explain more than the outcome? */
static int is_explained(const struct ofox_call *c) {
  const struct ofox_response *r = &c->response;
  return c->error->status == 0 || c->error->outcome == OFOX_OUTCOME_ENCODING ||
         (c->error->cls == OFOX_CLASS_STREAM && !r->events->broken &&
          r->stopped == OFOX_OUTCOME_ANSWERED);
}

/* Extends the message: the transport's detail, the redirect target. */
static void add_detail(struct ofox_call *c, struct ofox_span detail) {
  struct ofox_buf *m = &c->error->message, text, clean;
  struct ofox_span to = ofox_headers_get(&c->response.head, "location");
  int rc;
  ofox_buf_init(&text, (size_t)-1);
  ofox_buf_init(&clean, (size_t)-1);
  if (c->error->outcome == OFOX_OUTCOME_REDIRECT && to.p != NULL) {
    rc = ofox_buf_adds(m, " to ");
    detail = to;
  }
  else if (is_explained(c) && detail.n > 1 && detail.p[0] == '!') {
    rc = 0;
    ofox_buf_clear(m);
    detail.p++;
    detail.n--;
  }
  else if (is_explained(c) && detail.n > 0) {
    rc = ofox_buf_adds(m, ": ");
  }
  else {
    return;
  }
  /* secrets are redacted before the text is truncated */
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
  redact(c, &c->error->message);
  redact(c, &c->error->code);
  redact(c, &c->error->param);
  redact(c, &c->error->server_type);
  redact(c, &c->error->request_id);
}

void ofox_failure_request_id(struct ofox_call *c) {
  struct ofox_span id = ofox_headers_request_id(&c->response.head);
  if (id.p == NULL && c->failed && c->error != NULL) /* there was memory */
    id = ofox_buf_span(&c->error->request_id);
  ofox_buf_clear(&c->request_id);
  if (ofox_utf8_clean(&c->request_id, ofox_utf8_cut(id, OFOX_CODE_CAP)) != 0)
    c->no_memory = 1;
  if (c->failed)
    redact(c, &c->request_id);
}

void ofox_failure_param(struct ofox_call *c, const char *param) {
  if (c->error == NULL || param == NULL)
    return;
  ofox_buf_clear(&c->error->param);
  if (ofox_utf8_clean(&c->error->param,
                      ofox_utf8_cut(ofox_span_of(param), OFOX_CODE_CAP)) != 0)
    c->no_memory = 1;
  redact(c, &c->error->param);
}

int ofox_failure_read(struct ofox_call *c, enum ofox_outcome outcome,
                      struct ofox_span detail) {
  int rc = read_failure(c, outcome);
  if (rc <= 0)
    return rc;
  add_detail(c, detail);
  redact_error(c);
  ofox_failure_request_id(c);
  return 1;
}

int ofox_failure_remember(const struct ofox_call *c, struct ofox_history *to,
                          double delay, enum ofox_source source,
                          double elapsed) {
  struct ofox_attempt a;
  memset(&a, 0, sizeof(a));
  a.cls = c->error->cls;
  a.status = c->error->status;
  a.model = c->model;
  a.delay = delay;
  a.source = source;
  a.elapsed = elapsed;
  return ofox_history_add(to, a, ofox_buf_span(&c->error->code),
                          ofox_buf_span(&c->request_id));
}

void ofox_failure_explain(struct ofox_call *c, struct ofox_span detail) {
  if (c->error == NULL)
    return;
  add_detail(c, detail);
  redact(c, &c->error->message);
}
