#include "call/response.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

/* The most that is read of a failure's body. */
#define FAILURE_BODY (1024 * 1024)

/* The same of an answer without events. */
static const struct ofox_event_queue NO_EVENTS;

void ofox_response_init(struct ofox_response *r,
                        const struct ofox_response_config *config) {
  memset(r, 0, sizeof(*r));
  r->config = config;
  r->events = &NO_EVENTS;
  ofox_headers_init(&r->head);
  ofox_buf_init(&r->body, config->max_body);
}

void ofox_response_free(struct ofox_response *r) {
  ofox_headers_free(&r->head);
  ofox_buf_free(&r->body);
  r->events = &NO_EVENTS;
  if (r->queue != NULL)
    ofox_event_queue_free(r->queue);
  free(r->queue);
  r->queue = NULL;
}

void ofox_response_clear(struct ofox_response *r) {
  ofox_headers_clear(&r->head);
  ofox_buf_clear(&r->body);
  if (r->queue != NULL)
    ofox_event_queue_clear(r->queue);
  r->kind = OFOX_VERDICT_UNKNOWN;
  r->_blank = 0;
  r->texts = OFOX_JSON_STREAM_NONE;
  r->stopped = OFOX_OUTCOME_ANSWERED;
}

void ofox_response_drop_events(struct ofox_response *r) {
  if (r->queue != NULL)
    ofox_event_queue_drop(r->queue);
}

int ofox_response_is_failure(const struct ofox_response *r) {
  return r->head.complete && r->head.status >= 300;
}

int ofox_response_head(struct ofox_response *r, const char *p, size_t n) {
  int rc = ofox_headers_line(&r->head, p, n);
  if (rc < 0) {
    r->no_memory |= rc == OFOX_EMEM;
    r->stopped = OFOX_OUTCOME_TOO_LARGE;
    return rc;
  }
  return 0;
}

static int keep(struct ofox_response *r, const char *p, size_t n) {
  size_t cap = r->config->max_body;
  int rc;
  if (ofox_response_is_failure(r) && cap > FAILURE_BODY)
    cap = FAILURE_BODY;
  if (n > cap - r->body.n) {
    r->stopped = OFOX_OUTCOME_TOO_LARGE;
    ofox_buf_add(&r->body, p, cap - r->body.n);
    return OFOX_ECAP;
  }
  rc = ofox_buf_add(&r->body, p, n);
  r->no_memory |= rc == OFOX_EMEM;
  return rc;
}

/* Reads events from here on. 0, or OFOX_EMEM. */
static int want_events(struct ofox_response *r) {
  const struct ofox_response_config *config = r->config;
  if (r->queue != NULL)
    return 0;
  r->queue = malloc(sizeof(*r->queue));
  if (r->queue == NULL) {
    r->no_memory = 1;
    return OFOX_EMEM;
  }
  ofox_event_queue_init(r->queue, config->dialect, config->max_event,
                        config->max_body);
  r->events = r->queue;
  return 0;
}

static int feed(struct ofox_response *r, const char *p, size_t n) {
  struct ofox_span b = {p, n};
  int rc = want_events(r);
  if (rc == 0 && r->config->expect == OFOX_EXPECT_RAW)
    rc = ofox_event_queue_bytes(r->queue, b);
  else if (rc == 0 && r->texts != OFOX_JSON_STREAM_NONE) {
    r->queue->texts.kind = r->texts;
    rc = ofox_event_queue_texts(r->queue, b);
  }
  else if (rc == 0)
    rc = ofox_event_queue_feed(r->queue, p, n);
  r->no_memory |= rc == OFOX_EMEM;
  return rc;
}

static struct ofox_span from(struct ofox_span s, size_t n) {
  s.p += n;
  s.n -= n;
  return s;
}

/* The body up to now, without leading blanks. */
static struct ofox_span beginning(struct ofox_response *r) {
  static const char bom[] = "\xEF\xBB\xBF";
  struct ofox_span s = ofox_buf_span(&r->body);
  if (s.n > 0 && s.n < sizeof(bom) - 1 && memcmp(s.p, bom, s.n) == 0)
    return from(s, s.n); /* it may become one */
  if (r->_blank == 0)
    s = ofox_utf8_skip_bom(s);
  else
    s = from(s, r->_blank);
  while (s.n > 0 && ofox_isspace((unsigned char)*s.p))
    s = from(s, 1);
  r->_blank = r->body.n - s.n;
  return s;
}

/* How the body arrives, by its headers and its beginning. */
static void find_kind(struct ofox_response *r) {
  struct ofox_span start = beginning(r);
  int list = 0;
  r->kind = ofox_verdict_kind(&r->head, start);
  if (ofox_verdict_is_lines(&r->head))
    r->texts = OFOX_JSON_STREAM_LINES;
  else if (r->config->dialect->lists && r->kind == OFOX_VERDICT_BODY)
    list = ofox_json_stream_is_list(start);
  if (list > 0) {
    r->kind = OFOX_VERDICT_EVENTS;
    r->texts = OFOX_JSON_STREAM_LIST;
  }
  else if (list < 0) {
    r->kind = OFOX_VERDICT_UNKNOWN;
  }
}

int ofox_response_body(struct ofox_response *r, const char *p, size_t n) {
  int rc;
  if (!r->config->streams || ofox_response_is_failure(r))
    return keep(r, p, n);
  if (r->config->expect == OFOX_EXPECT_RAW)
    r->kind = OFOX_VERDICT_EVENTS; /* whatever it looks like */
  if (r->kind == OFOX_VERDICT_EVENTS)
    return feed(r, p, n);
  rc = keep(r, p, n);
  if (r->kind == OFOX_VERDICT_UNKNOWN)
    find_kind(r);
  if (rc == 0 && r->kind == OFOX_VERDICT_EVENTS) {
    rc = feed(r, r->body.p, r->body.n);
    ofox_buf_free(&r->body);
  }
  return rc;
}

/* The meaning of a stream that ended this way */

static enum ofox_outcome stream_outcome(enum ofox_outcome o) {
  switch (o) {
  case OFOX_OUTCOME_ANSWERED:
  case OFOX_OUTCOME_TRUNCATED:
    return OFOX_OUTCOME_STREAM_TRUNCATED;
  case OFOX_OUTCOME_RESET:
  case OFOX_OUTCOME_SEND:
  case OFOX_OUTCOME_EMPTY_REPLY:
  case OFOX_OUTCOME_PROTOCOL:
    return OFOX_OUTCOME_STREAM_RESET;
  default:
    return o;
  }
}

/* A stream of an unknown dialect ends with its body. */
static int is_complete(const struct ofox_response *r,
                       enum ofox_outcome outcome) {
  const struct ofox_event_queue *s = r->events;
  if (s->ended || ofox_event_queue_is_finished(s))
    return 1;
  if (r->config->expect == OFOX_EXPECT_RAW)
    return outcome == OFOX_OUTCOME_ANSWERED;
  return r->config->dialect->due == NULL && s->chunks > 0 &&
         outcome == OFOX_OUTCOME_ANSWERED;
}

/* Including one that announced events and had none. */
static int is_events(const struct ofox_response *r) {
  return r->kind == OFOX_VERDICT_EVENTS ||
         (r->kind == OFOX_VERDICT_UNKNOWN && r->config->streams &&
          (r->config->expect == OFOX_EXPECT_RAW ||
           ofox_verdict_is_stream(&r->head) ||
           ofox_verdict_is_lines(&r->head)));
}

static struct ofox_verdict judge_events(struct ofox_response *r,
                                        enum ofox_outcome outcome) {
  struct ofox_verdict v = {
      1, OFOX_OUTCOME_ANSWERED, OFOX_CLASS_STREAM, {NULL, 0}};
  struct ofox_event_queue *s;
  if (want_events(r) != 0)
    return v;
  s = r->queue;
  /* if the body was aborted, the last event may be truncated as well */
  if (ofox_event_queue_finish(s, outcome == OFOX_OUTCOME_ANSWERED) ==
      OFOX_EMEM)
    r->no_memory = 1;
  if (s->broken) {
    v.outcome = s->outcome;
    v.fallback = s->fallback;
    v.part = ofox_buf_span(&s->failure);
  }
  else if (is_complete(r, outcome)) {
    v.failed = 0;
    s->open = 1;
  }
  else {
    v.outcome = stream_outcome(outcome);
  }
  return v;
}

static int is_answer(const struct ofox_dialect *dialect,
                     struct ofox_span body) {
  struct ofox_json v = ofox_json_root(body);
  if (dialect->due == NULL)
    return v.type == OFOX_JSON_OBJECT;
  return ofox_json_get(v, dialect->due).type == OFOX_JSON_ARRAY ||
         (dialect->refusal != NULL &&
          ofox_json_get(v, dialect->refusal).type == OFOX_JSON_OBJECT);
}

static struct ofox_verdict judge_body(struct ofox_response *r, int status) {
  struct ofox_whole_response a;
  a.status = status;
  a.framed = ofox_verdict_is_framed(&r->head);
  a.type = ofox_headers_get(&r->head, "content-type");
  a.body = ofox_buf_span(&r->body);
  a.due = r->config->answer != NULL ? r->config->answer->due : NULL;
  return ofox_verdict_judge(&a, r->config->expect);
}

/* A success that was sent whole although events were requested. */
static struct ofox_verdict judge_whole(struct ofox_response *r) {
  struct ofox_span body = ofox_buf_span(&r->body);
  struct ofox_verdict v = judge_body(r, 200); /* empty is not a stream */
  if (v.outcome == OFOX_OUTCOME_INVALID_JSON &&
      ofox_verdict_is_stream(&r->head)) {
    /* it only began like JSON: see stray_lines.h */
    feed(r, body.p, body.n);
    if (r->events->broken || r->events->chunks > 0) {
      r->kind = OFOX_VERDICT_EVENTS;
      return judge_events(r, OFOX_OUTCOME_ANSWERED);
    }
  }
  if (v.outcome == OFOX_OUTCOME_INVALID_JSON ||
      (!v.failed && !is_answer(r->config->dialect, body))) {
    v.failed = 1;
    v.outcome = OFOX_OUTCOME_NOT_EVENT_STREAM;
  }
  else if (!v.failed && (want_events(r) != 0 ||
                         ofox_event_queue_whole(r->queue, body) != 0)) {
    r->no_memory = 1;
  }
  return v;
}

struct ofox_verdict ofox_response_judge(struct ofox_response *r,
                                        enum ofox_outcome outcome) {
  struct ofox_span body = ofox_buf_span(&r->body);
  int status = r->head.complete ? r->head.status : 0;
  struct ofox_verdict v = {
      1, OFOX_OUTCOME_ANSWERED, OFOX_CLASS_INTERNAL, {NULL, 0}};
  v.part = body;
  if (status != 0 && r->config->expect == OFOX_EXPECT_CONTACT)
    v.failed = 0;
  else if (status != 0 && status < 300 && is_events(r))
    v = judge_events(r, outcome);
  else if (status != 0 && status < 300 && r->config->streams &&
           outcome == OFOX_OUTCOME_ANSWERED)
    v = judge_whole(r);
  else if (status != 0 && (outcome == OFOX_OUTCOME_ANSWERED || status >= 400))
    v = judge_body(r, status);
  else if (outcome != OFOX_OUTCOME_ANSWERED)
    v.outcome = outcome;
  else
    v.outcome = r->head.status != 0 ? OFOX_OUTCOME_TRUNCATED
                : body.n > 0        ? OFOX_OUTCOME_PROTOCOL
                                    : OFOX_OUTCOME_EMPTY_REPLY;
  return v;
}
