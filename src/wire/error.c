#include "wire/error.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/times.h"
#include "base/utf8.h"
#include "wire/class_words.h"
#include "wire/envelope.h"
#include "wire/html.h"
#include "wire/speech.h"
#include "wire/statuses.h"

#define WRAPPED 3           /* nesting of JSON in strings of JSON */
#define TEXT_IN (16 * 1024) /* limit of the text that is read */

/* A body and what was found in it, while it is read. */
struct reader {
  struct ofox_error *e;
  struct ofox_envelope in;
  size_t skipped; /* bytes before the body */
  int page;       /* the body is a web page */
  struct ofox_buf text, clean, inner;
  int rc;
};

void ofox_error_init(struct ofox_error *e) {
  memset(e, 0, sizeof(*e));
  e->cls = OFOX_CLASS_INTERNAL;
  ofox_body_delay_init(&e->pause);
  e->message.cap = OFOX_MESSAGE_CAP;
  e->code.cap = e->param.cap = OFOX_CODE_CAP;
  e->server_type.cap = e->request_id.cap = OFOX_CODE_CAP;
}

void ofox_error_free(struct ofox_error *e) {
  ofox_buf_free(&e->message);
  ofox_buf_free(&e->code);
  ofox_buf_free(&e->param);
  ofox_buf_free(&e->server_type);
  ofox_buf_free(&e->request_id);
}

/* Texts */

/* 'out' becomes 's': valid, trimmed, as long as its cap. Is there any? */
static int put(struct reader *r, struct ofox_buf *out, struct ofox_span s) {
  int rc;
  ofox_buf_clear(out);
  ofox_buf_clear(&r->clean);
  rc = ofox_utf8_clean(&r->clean, ofox_utf8_cut(s, TEXT_IN));
  if (rc == 0) {
    s = ofox_span_trim(ofox_buf_span(&r->clean));
    rc = ofox_buf_addspan(out, ofox_utf8_cut(s, out->cap));
  }
  r->rc |= rc;
  return out->n > 0;
}

static int put_string(struct reader *r, struct ofox_buf *out,
                      struct ofox_json v) {
  ofox_buf_clear(&r->text);
  v.raw = ofox_utf8_cut(v.raw, TEXT_IN);
  r->rc |= ofox_json_text(v, &r->text);
  return put(r, out, ofox_buf_span(&r->text));
}

/* A string as it is, a number as its decimal digits. */
static int put_word(struct reader *r, struct ofox_buf *out,
                    struct ofox_json v) {
  double number;
  if (v.type != OFOX_JSON_NUMBER || !ofox_json_number(v, &number))
    return put_string(r, out, v);
  if (floor(number) != number || fabs(number) > 1e9)
    return put(r, out, v.raw);
  ofox_buf_clear(out);
  r->rc |= ofox_buf_addint(out, (long)number);
  return 1;
}

/* "HTTP 502 (no body)" */
static void put_note(struct reader *r, const char *note) {
  struct ofox_buf *out = &r->e->message;
  ofox_buf_clear(out);
  if (r->e->status > 0) {
    r->rc |= ofox_buf_adds(out, "HTTP ");
    r->rc |= ofox_buf_addint(out, r->e->status);
    r->rc |= ofox_buf_addc(out, ' ');
  }
  r->rc |= ofox_buf_adds(out, note);
}

/* The text in r->text, or the message in it if it is JSON itself. */
static int put_speech(struct reader *r, struct ofox_json v) {
  const struct ofox_members *known[] = {&r->in.top_has, r->in.error_has, NULL};
  struct ofox_span s;
  struct ofox_buf swap;
  size_t pos;
  int i;
  v = ofox_speech_find(v, known);
  if (v.type == OFOX_JSON_NONE)
    return 0;
  ofox_buf_clear(&r->text);
  v.raw = ofox_utf8_cut(v.raw, TEXT_IN);
  r->rc |= ofox_json_text(v, &r->text);
  for (i = 0; i < WRAPPED; i++) {
    s = ofox_span_trim(ofox_buf_span(&r->text));
    if (s.n == 0 || (*s.p != '{' && *s.p != '[') ||
        ofox_json_check(s, &pos) != 1)
      break;
    v = ofox_speech_find(ofox_json_root(s), known + 2);
    ofox_buf_clear(&r->inner);
    r->rc |= ofox_json_text(v, &r->inner);
    if (r->inner.n == 0)
      break;
    swap = r->text;
    r->text = r->inner;
    r->inner = swap;
  }
  return put(r, &r->e->message, ofox_buf_span(&r->text));
}

static void read_words(struct reader *r) {
  struct ofox_error *e = r->e;
  const struct ofox_members *m = r->in.error_has;
  if (!put_word(r, &e->code, m->at[OFOX_MEMBER_CODE])) {
    if (r->in.numbering == OFOX_NUMBERING_MINIMAX)
      put_word(r, &e->code, m->at[OFOX_MEMBER_STATUS_CODE]);
    else if (put_word(r, &e->code,
                      ofox_members_either(m, OFOX_MEMBER_ERROR_CODE,
                                          OFOX_MEMBER_ERR_CODE)))
      r->in.numbering = OFOX_NUMBERING_BAIDU;
  }
  put_word(r, &e->param, m->at[OFOX_MEMBER_PARAM]);
  if (!put_string(r, &e->server_type, m->at[OFOX_MEMBER_TYPE]))
    put_string(r, &e->server_type, m->at[OFOX_MEMBER_ERROR_TYPE]);
  if (!put_word(r, &e->request_id, m->at[OFOX_MEMBER_REQUEST_ID]))
    put_word(r, &e->request_id, r->in.top_has.at[OFOX_MEMBER_REQUEST_ID]);
}

/* Classes */

/* A status of an error that is written in 's', or 0. */
static int read_status(struct ofox_span s) {
  double n;
  if (!ofox_times_seconds(s, &n) || n < 400 || n > 599 || floor(n) != n)
    return 0;
  return (int)n;
}

static int status_of(struct ofox_json v) {
  double n;
  if (v.type == OFOX_JSON_STRING && v.raw.n > 2) {
    v.raw.p++;
    v.raw.n -= 2;
    return read_status(v.raw);
  }
  return ofox_json_number(v, &n) && n >= 400 && n <= 599 && floor(n) == n
             ? (int)n
             : 0;
}

/* By the first member with such a name. */
static int status_in(const struct ofox_members *m) {
  static const enum ofox_member more[] = {
      OFOX_MEMBER_STATUS_CODE, OFOX_MEMBER_HTTP_STATUS, OFOX_MEMBER_HTTP_CODE};
  enum ofox_member first = OFOX_MEMBER_STATUS;
  size_t i;
  for (i = 0; i < sizeof(more) / sizeof(more[0]); i++)
    first = ofox_members_first(m, first, more[i]);
  return status_of(m->at[first]);
}

/* The status that an error inside a success would have had, or 0. */
static int inner_status(struct reader *r) {
  int status = read_status(ofox_buf_span(&r->e->code));
  if (status == 0)
    status = status_in(r->in.error_has);
  if (status == 0)
    status = status_in(&r->in.top_has);
  return status != 0 ? status : status_of(r->in.top_has.at[OFOX_MEMBER_CODE]);
}

static enum ofox_class class_of_code(struct reader *r) {
  struct ofox_span code = ofox_buf_span(&r->e->code);
  double n;
  if (r->in.numbering != OFOX_NUMBERING_NONE && ofox_times_seconds(code, &n))
    return ofox_class_words_number(r->in.numbering, n);
  return ofox_class_words_find(code);
}

/* By type, code and a status in words; NCLASSES if none names a class. */
static enum ofox_class class_of_words(struct reader *r,
                                      enum ofox_class by_type,
                                      enum ofox_class by_code) {
  struct ofox_buf *status = &r->inner;
  if (by_type == OFOX_CLASS_INVALID_REQUEST && by_code != OFOX_NCLASSES)
    return by_code;
  if (by_type != OFOX_NCLASSES)
    return by_type;
  if (by_code != OFOX_NCLASSES)
    return by_code;
  ofox_buf_clear(status);
  r->rc |= ofox_json_text(r->in.error_has->at[OFOX_MEMBER_STATUS], status);
  return ofox_class_words_find(ofox_buf_span(status));
}

/* Google's word for the type, "FAILED_PRECONDITION", is a status. Elsewhere it
** is something else. */
static void put_status_word(struct reader *r) {
  struct ofox_json v = r->in.error_has->at[OFOX_MEMBER_STATUS];
  size_t i;
  if (r->in.error_has == &r->in.top_has || v.type != OFOX_JSON_STRING)
    return;
  for (i = 1; i + 1 < v.raw.n; i++)
    if ((v.raw.p[i] < 'A' || v.raw.p[i] > 'Z') && v.raw.p[i] != '_')
      return;
  put_string(r, &r->e->server_type, v);
}

/* The class by status, or by an inner status, or else by words. */
static void classify(struct reader *r, enum ofox_class fallback) {
  struct ofox_error *e = r->e;
  enum ofox_class by_type =
      ofox_class_words_find(ofox_buf_span(&e->server_type));
  enum ofox_class by_code = class_of_code(r);
  int spent = by_type == OFOX_CLASS_BILLING || by_code == OFOX_CLASS_BILLING;
  int status = e->status >= 400 ? e->status : inner_status(r);
  const struct ofox_status_row *row = ofox_statuses_find(status);
  if (status != 0)
    e->cls = row->cls;
  else
    e->cls = class_of_words(r, by_type, by_code);
  if (e->cls == OFOX_NCLASSES)
    e->cls = fallback;
  if (e->cls == OFOX_CLASS_RATE_LIMIT && spent)
    e->cls = OFOX_CLASS_BILLING;
  e->retryable = !spent && (status != 0 ? row->retryable
                                        : ofox_classes[e->cls].retryable);
  e->ambiguous = status != 0 && row->ambiguous;
}

/* A message if there is none in JSON */

static int put_page(struct reader *r) {
  int rc = ofox_html_words(r->in.body, &r->text);
  r->rc |= rc < 0 ? rc : 0;
  return rc == 1 && put(r, &r->e->message, ofox_buf_span(&r->text));
}

/* Of XML that is not a page. */
static int put_element(struct reader *r) {
  int rc = 0;
  if (r->in.body.n > 0 && *r->in.body.p == '<')
    rc = ofox_html_element(r->in.body, "message", &r->text);
  r->rc |= rc < 0 ? rc : 0;
  return rc == 1 && put(r, &r->e->message, ofox_buf_span(&r->text));
}

/* Is it JSON without a word in it? An error's body is shown where in doubt. */
static int says_nothing(struct reader *r) {
  struct ofox_json key, child;
  size_t at, pos = 0;
  int rc = ofox_json_check(r->in.body, &at);
  if (r->e->status < 400)
    return rc >= 0 && !ofox_speech_has_words(r->in.root);
  return rc == 1 && !ofox_json_next(r->in.root, &pos, &key, &child);
}

static void put_rest(struct reader *r) {
  const char *none = NULL;
  int inside = r->e->status < 400; /* of a success */
  if (r->in.body.n == 0)
    none = inside ? "(an error without a message)" : "(no body)";
  else if (r->page)
    none = put_page(r) ? NULL : "(an HTML page)";
  else if (says_nothing(r))
    none = inside ? "(an error without a message)" : "(no message)";
  else if (memchr(r->in.body.p, 0, r->in.body.n) != NULL ||
           (!put_element(r) && !put(r, &r->e->message, r->in.body)))
    none = "(a binary body)";
  if (none != NULL)
    put_note(r, none);
}

static void read_body(struct reader *r, enum ofox_class fallback) {
  struct ofox_error *e = r->e;
  struct ofox_span type;
  int spoke, rc;
  r->rc |= ofox_envelope_open(&r->in);
  read_words(r);
  classify(r, fallback);
  if (e->server_type.n == 0) /* after it: a code says more of the class */
    put_status_word(r);
  type = ofox_buf_span(&e->server_type);
  if (ofox_span_eq(type, ofox_classes[e->cls].type) ||
      ofox_span_eq(type, "error"))
    ofox_buf_clear(&e->server_type);
  spoke = put_speech(r, r->in.root);
  if (!spoke)
    put_rest(r);
  e->ambiguous |= e->status == 502 && !spoke;
  rc = ofox_body_delay_find(&e->pause, r->in.error_has, r->in.body);
  if (rc == 0 && r->in.error_has != &r->in.top_has)
    rc = ofox_body_delay_find(&e->pause, &r->in.top_has, r->in.body);
  if (rc == 0)
    rc = ofox_body_delay_read(&e->pause, ofox_buf_span(&e->message));
  r->rc |= rc < 0 ? rc : 0;
}

/* Valid JSON of an unexpected kind. */
static const char *wrong_kind(struct ofox_span body) {
  size_t pos;
  if (ofox_json_check(body, &pos) != 1)
    return NULL;
  switch (ofox_json_root(body).type) {
  case OFOX_JSON_ARRAY:
    return "the answer is a list, expected an object";
  case OFOX_JSON_STRING:
    return "the answer is a string, expected an object";
  case OFOX_JSON_NUMBER:
    return "the answer is a number, expected an object";
  case OFOX_JSON_NULL:
    return "the answer is null, expected an object";
  case OFOX_JSON_TRUE:
  case OFOX_JSON_FALSE:
    return "the answer is a boolean, expected an object";
  default:
    return NULL;
  }
}

/* Where the grammar breaks, and how if that can be told. */
static void put_position(struct reader *r) {
  struct ofox_buf *out = &r->e->message;
  const char *problem;
  size_t pos;
  if (ofox_json_check(r->in.body, &pos) >= 0)
    return;
  problem = ofox_json_problem(r->in.body, pos);
  r->rc |= ofox_buf_adds(out, ": unexpected byte at ");
  r->rc |= ofox_buf_addint(out, (long)(r->skipped + pos) + 1);
  if (problem != NULL) {
    r->rc |= ofox_buf_adds(out, ", ");
    r->rc |= ofox_buf_adds(out, problem);
  }
}

/* An outcome speaks for itself, but a page may say whose it is. */
static void read_outcome(struct reader *r) {
  struct ofox_error *e = r->e;
  const struct ofox_outcome_row *row = &ofox_outcomes[e->outcome];
  const char *message = NULL;
  e->cls = row->cls;
  e->retryable = ofox_classes[row->cls].retryable &&
                 e->outcome != OFOX_OUTCOME_STREAM_TOO_LARGE;
  /* an answer had begun, and it is unusable */
  e->ambiguous = e->status / 100 == 2 && e->outcome != OFOX_OUTCOME_HTML;
  put(r, &e->code, ofox_span_of(row->code));
  if (e->outcome == OFOX_OUTCOME_HTML && put_page(r))
    return;
  if (e->outcome == OFOX_OUTCOME_INVALID_JSON)
    message = wrong_kind(r->in.body);
  put(r, &e->message, ofox_span_of(message != NULL ? message : row->message));
  if (e->outcome == OFOX_OUTCOME_INVALID_JSON && message == NULL)
    put_position(r);
}

int ofox_error_read(struct ofox_error *e, int status,
                    enum ofox_outcome outcome, struct ofox_span body,
                    enum ofox_class fallback) {
  struct reader r;
  memset(&r, 0, sizeof(r));
  ofox_buf_init(&r.text, (size_t)-1);
  ofox_buf_init(&r.clean, (size_t)-1);
  ofox_buf_init(&r.inner, (size_t)-1);
  ofox_envelope_init(&r.in);
  ofox_error_free(e);
  ofox_error_init(e);
  e->status = status;
  e->outcome = status >= 400 ? OFOX_OUTCOME_ANSWERED : outcome;
  r.e = e;
  r.in.body =
      body.n > 0 ? ofox_span_trim(ofox_utf8_skip_bom(body)) : ofox_span_of("");
  r.skipped = r.in.body.n > 0 ? (size_t)(r.in.body.p - body.p) : 0;
  r.page = outcome == OFOX_OUTCOME_HTML ||
           ofox_html_is(ofox_span_of(""), r.in.body);
  if (e->outcome == OFOX_OUTCOME_ANSWERED)
    read_body(&r, fallback);
  else
    read_outcome(&r);
  if (status == 407)
    put(&r, &e->code,
        ofox_span_of(ofox_outcomes[OFOX_OUTCOME_PROXY_AUTH].code));
  ofox_buf_free(&r.text);
  ofox_buf_free(&r.clean);
  ofox_buf_free(&r.inner);
  ofox_envelope_free(&r.in);
  return r.rc != 0 ? OFOX_EMEM : 0;
}
