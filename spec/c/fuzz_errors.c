/*
** Fuzzes the reader of error bodies: any bytes, cut anywhere, under any
** status and outcome, twice into the same error.
** make fuzz runs it.
*/
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "wire/error.h"
#include "wire/error_in_success.h"
#include "wire/html.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds) {
  if (!holds)
    abort();
}

static void must_be_text(const struct ofox_buf *b, size_t cap) {
  struct ofox_span s = ofox_buf_span(b);
  must(s.n <= cap && ofox_utf8_valid(s) == s.n);
}

static void check(const struct ofox_error *e) {
  must(e->message.n > 0);
  must_be_text(&e->message, OFOX_MESSAGE_CAP);
  must_be_text(&e->code, OFOX_CODE_CAP);
  must_be_text(&e->param, OFOX_CODE_CAP);
  must_be_text(&e->server_type, OFOX_CODE_CAP);
  must_be_text(&e->request_id, OFOX_CODE_CAP);
  must((unsigned)e->cls < OFOX_NCLASSES);
  must(isnan(e->pause.delay) ||
       (e->pause.delay >= 0 && e->pause.delay <= 1e9));
  must(isnan(e->pause.until) || isnan(e->pause.delay));
  must(!(ofox_body_delay_left(&e->pause, 1.7e9) < 0));
  must(e->retryable == 0 || e->retryable == 1);
  must(e->ambiguous == 0 || e->ambiguous == 1);
}

/* One walk that checks the grammar as well says the same of a whole body. */
static void check_walk(struct ofox_span body, enum ofox_due due, int found,
                       const struct ofox_error_in_success *fault) {
  struct ofox_error_in_success same;
  struct ofox_seen seen;
  size_t pos;
  int rc = ofox_error_in_success_check(body, due, &seen);
  must(rc == ofox_json_check(body, &pos));
  if (rc != 1)
    return;
  must(ofox_error_in_success_read(body, due, &seen, &same) == found);
  must(!found ||
       (same.part.p == fault->part.p && same.part.n == fault->part.n &&
        same.fallback == fault->fallback));
}

/* What is said to be at fault is a part of the body, and can be read. */
static void check_fault(struct ofox_error *e, struct ofox_span body) {
  struct ofox_error_in_success fault;
  int due, found;
  for (due = OFOX_DUE_CHOICES; due <= OFOX_DUE_NOTHING; due++) {
    found = ofox_error_in_success_find(body, (enum ofox_due)due, &fault);
    check_walk(body, (enum ofox_due)due, found, &fault);
    if (!found)
      continue;
    must(fault.part.p >= body.p &&
         fault.part.p + fault.part.n <= body.p + body.n);
    must(fault.fallback == OFOX_CLASS_INTERNAL ||
         fault.fallback == OFOX_CLASS_UPSTREAM);
    must(ofox_error_read(e, 200, OFOX_OUTCOME_ANSWERED, fault.part,
                         fault.fallback) == 0);
    check(e);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const int statuses[] = {0,   200, 204, 302, 400, 404, 407, 408,
                                 429, 500, 501, 502, 503, 504, 529, 999};
  struct ofox_error e;
  struct ofox_span body;
  enum ofox_outcome outcome;
  enum ofox_class fallback;
  char *copy;
  int status;
  if (size < 2)
    return 0;
  status = statuses[data[0] % 16];
  fallback = data[0] & 16 ? OFOX_CLASS_STREAM : OFOX_CLASS_INTERNAL;
  outcome = (enum ofox_outcome)(data[1] % (2 * OFOX_NOUTCOMES));
  if (outcome >= OFOX_NOUTCOMES)
    outcome = OFOX_OUTCOME_ANSWERED;
  size -= 2;
  copy = malloc(size); /* so that one byte too many is seen */
  if (copy == NULL && size > 0)
    return 0;
  if (size > 0)
    memcpy(copy, data + 2, size);
  body.p = size > 0 ? copy : NULL;
  body.n = size;
  ofox_error_init(&e);
  must(ofox_error_read(&e, status, outcome, body, fallback) == 0);
  check(&e);
  body.n = size / 2;
  must(ofox_error_read(&e, status, outcome, body, fallback) == 0);
  check(&e);
  check_fault(&e, body);
  body.n = size;
  check_fault(&e, body);
  ofox_html_is(ofox_span_of("text/html"), body);
  ofox_error_free(&e);
  ofox_error_free(&e);
  free(copy);
  return 0;
}
