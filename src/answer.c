#include "answer.h"

#include <string.h>

#include "errors.h"
#include "fault.h"
#include "json.h"
#include "utf8.h"

int ofox_answer_is_framed(const struct ofox_headers *h) {
  return h->version >= 20 || ofox_headers_get(h, "content-length").p != NULL ||
         ofox_headers_get(h, "transfer-encoding").p != NULL;
}

int ofox_answer_is_stream(const struct ofox_headers *h) {
  return ofox_span_ihas_prefix(ofox_headers_get(h, "content-type"),
                               "text/event-stream");
}

/* How an event stream begins: with a comment or the name of a field. */
static enum ofox_answer_kind beginning(struct ofox_span s) {
  static const char *const starts[] = {
      ":", "data:", "event:", "id:", "retry:", NULL};
  size_t i, n;
  for (i = 0; starts[i] != NULL; i++) {
    n = strlen(starts[i]);
    if (memcmp(s.p, starts[i], s.n < n ? s.n : n) == 0)
      return s.n < n ? OFOX_ANSWER_UNKNOWN : OFOX_ANSWER_EVENTS;
  }
  return OFOX_ANSWER_BODY;
}

enum ofox_answer_kind ofox_answer_kind(const struct ofox_headers *h,
                                       struct ofox_span s) {
  if (s.n == 0)
    return OFOX_ANSWER_UNKNOWN;
  if (!ofox_answer_is_stream(h))
    return beginning(s);
  return *s.p == '{' || *s.p == '[' || *s.p == '<' ? OFOX_ANSWER_BODY
                                                   : OFOX_ANSWER_EVENTS;
}

/* What keeps a body from being JSON as wanted; ANSWERED if nothing does. */
static enum ofox_outcome check(struct ofox_span body, int framed,
                               enum ofox_expect expect) {
  size_t pos;
  int rc;
  if (ofox_span_trim(ofox_utf8_skip_bom(body)).n == 0)
    return OFOX_OUTCOME_EMPTY;
  if (ofox_errors_is_html(body))
    return OFOX_OUTCOME_HTML;
  rc = ofox_json_check(body, &pos);
  if (rc == 0 && !framed)
    return OFOX_OUTCOME_TRUNCATED;
  if (rc != 1 || (expect == OFOX_EXPECT_OBJECT &&
                  ofox_json_root(body).type != OFOX_JSON_OBJECT))
    return OFOX_OUTCOME_INVALID_JSON;
  return OFOX_OUTCOME_ANSWERED;
}

/*
** A success that is an error inside has that word in it, perhaps spelt in
** escapes: the rest of them need no reading.
*/
static int may_be_error(struct ofox_span s) {
  size_t i;
  for (i = 2; i < s.n; i++) {
    if (s.p[i] == 'r' ? s.p[i - 1] == 'r' && s.p[i - 2] == 'e'
                      : s.p[i] == 'u' && s.p[i - 1] == '\\')
      return 1;
  }
  return 0;
}

struct ofox_verdict ofox_answer_judge(int status, int framed,
                                      struct ofox_span body,
                                      enum ofox_expect expect) {
  struct ofox_verdict v = {
      1, OFOX_OUTCOME_ANSWERED, OFOX_CLASS_INTERNAL, {NULL, 0}};
  struct ofox_fault fault;
  v.part = body;
  if (status >= 400)
    return v;
  if (status >= 300) {
    v.outcome = OFOX_OUTCOME_REDIRECT;
    return v;
  }
  v.failed = 0;
  if (expect == OFOX_EXPECT_RAW ||
      (expect == OFOX_EXPECT_ANY && (status == 204 || status == 205)))
    return v;
  v.outcome = check(body, framed, expect);
  if (v.outcome != OFOX_OUTCOME_ANSWERED) {
    v.failed = 1;
  }
  else if (may_be_error(body) && ofox_fault_find(body, &fault)) {
    v.failed = 1;
    v.part = fault.part;
    v.fallback = fault.fallback;
  }
  return v;
}
