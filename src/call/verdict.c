#include "call/verdict.h"

#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "wire/error_in_success.h"
#include "wire/html.h"

int ofox_verdict_is_framed(const struct ofox_headers *h) {
  return h->version >= 20 || ofox_headers_get(h, "content-length").p != NULL ||
         ofox_headers_get(h, "transfer-encoding").p != NULL;
}

int ofox_verdict_is_stream(const struct ofox_headers *h) {
  return ofox_span_ihas_prefix(ofox_headers_get(h, "content-type"),
                               "text/event-stream");
}

int ofox_verdict_is_lines(const struct ofox_headers *h) {
  static const char *const types[] = {
      "application/x-ndjson", "application/ndjson", "application/jsonl",
      "application/x-jsonlines", NULL};
  struct ofox_span type = ofox_headers_get(h, "content-type");
  size_t i;
  for (i = 0; types[i] != NULL; i++) {
    if (ofox_span_ihas_prefix(type, types[i]))
      return 1;
  }
  return 0;
}

/* Does it start like an event stream: with a comment or a field name? */
static enum ofox_verdict_kind beginning(struct ofox_span s) {
  static const char *const starts[] = {
      ":", "data:", "event:", "id:", "retry:", NULL};
  size_t i, n;
  for (i = 0; starts[i] != NULL; i++) {
    n = strlen(starts[i]);
    if (memcmp(s.p, starts[i], s.n < n ? s.n : n) == 0)
      return s.n < n ? OFOX_VERDICT_UNKNOWN : OFOX_VERDICT_EVENTS;
  }
  return OFOX_VERDICT_BODY;
}

enum ofox_verdict_kind ofox_verdict_kind(const struct ofox_headers *h,
                                         struct ofox_span s) {
  if (s.n == 0)
    return OFOX_VERDICT_UNKNOWN;
  if (ofox_verdict_is_lines(h))
    return *s.p == '<' ? OFOX_VERDICT_BODY : OFOX_VERDICT_EVENTS;
  if (!ofox_verdict_is_stream(h))
    return beginning(s);
  return *s.p == '{' || *s.p == '[' || *s.p == '<' ? OFOX_VERDICT_BODY
                                                   : OFOX_VERDICT_EVENTS;
}

static const char *due_of(const struct ofox_whole_response *a,
                          enum ofox_expect expect) {
  switch (expect) {
  case OFOX_EXPECT_ANSWER:
    return a->due;
  case OFOX_EXPECT_DATA:
  case OFOX_EXPECT_LIST:
    return "data";
  case OFOX_EXPECT_OBJECT:
  case OFOX_EXPECT_JOB:
    return "id";
  default:
    return NULL;
  }
}

/* Why a body is not JSON; ANSWERED if it is. */
static enum ofox_outcome check(const struct ofox_whole_response *a,
                               const char *due, struct ofox_seen *seen) {
  int rc;
  if (ofox_span_trim(ofox_utf8_skip_bom(a->body)).n == 0)
    return OFOX_OUTCOME_EMPTY;
  if (ofox_html_is(a->type, a->body))
    return OFOX_OUTCOME_HTML;
  rc = ofox_error_in_success_check(a->body, due, seen);
  if (rc == 0 && !a->framed)
    return OFOX_OUTCOME_TRUNCATED;
  return rc == 1 ? OFOX_OUTCOME_ANSWERED : OFOX_OUTCOME_INVALID_JSON;
}

/* Is it JSON of the expected kind? */
static int is_kind(struct ofox_span body, enum ofox_expect expect,
                   const struct ofox_seen *seen) {
  return seen->object || expect == OFOX_EXPECT_ANY ||
         (expect == OFOX_EXPECT_LIST &&
          *ofox_span_trim(ofox_utf8_skip_bom(body)).p == '[');
}

/* Is it a job, whose failure is not that of the call? */
static int is_job(struct ofox_span body, enum ofox_expect expect) {
  struct ofox_json v;
  if (expect != OFOX_EXPECT_JOB)
    return 0;
  v = ofox_json_root(body);
  return ofox_json_get(v, "id").type == OFOX_JSON_STRING &&
         ofox_json_get(v, "status").type == OFOX_JSON_STRING;
}

struct ofox_verdict ofox_verdict_judge(const struct ofox_whole_response *a,
                                       enum ofox_expect expect) {
  struct ofox_verdict v = {
      1, OFOX_OUTCOME_ANSWERED, OFOX_CLASS_INTERNAL, {NULL, 0}};
  struct ofox_error_in_success fault;
  const char *due = due_of(a, expect);
  struct ofox_seen seen;
  v.part = a->body;
  if (a->status >= 400) {
    if (ofox_html_is(a->type, a->body))
      v.outcome = OFOX_OUTCOME_HTML;
    return v;
  }
  if (a->status >= 300) {
    v.outcome = OFOX_OUTCOME_REDIRECT;
    return v;
  }
  v.failed = 0;
  if (expect == OFOX_EXPECT_RAW ||
      (expect == OFOX_EXPECT_ANY && (a->status == 204 || a->status == 205)))
    return v;
  v.outcome = check(a, due, &seen);
  if (v.outcome != OFOX_OUTCOME_ANSWERED) {
    v.failed = 1;
  }
  else if (!is_job(a->body, expect) &&
           ofox_error_in_success_read(a->body, due, &seen, &fault)) {
    v.failed = 1;
    v.part = fault.part;
    v.fallback = fault.fallback;
  }
  else if (!is_kind(a->body, expect, &seen)) {
    v.failed = 1;
    v.outcome = OFOX_OUTCOME_INVALID_JSON;
  }
  return v;
}
