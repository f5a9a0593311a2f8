#include "delta.h"

#include <string.h>

#include "fault.h"
#include "jscan.h"
#include "utf8.h"

/*
** One event is read in one pass that checks its grammar as well: this is what
** every piece of every stream goes through.
*/
struct reading {
  struct ofox_scan s;
  struct ofox_delta *out;
  enum ofox_dialect dialect;
  size_t choices;
  struct ofox_json type, delta, response; /* of the Responses protocol */
  int says_error, error_text, id;         /* see ofox_fault_find */
  int other; /* it says something besides the text of the first choice */
};

int ofox_delta_is_end(struct ofox_span data) {
  return data.n >= 6 && ofox_span_eq(ofox_span_trim(data), "[DONE]");
}

static int is(struct ofox_span s, const char *word, size_t n) {
  return s.n == n && memcmp(s.p, word, n) == 0;
}

/* A name that is spelt in escapes, which is rare. */
static int is_spelt(struct ofox_span name, const char *word) {
  struct ofox_json v;
  v.type = OFOX_JSON_STRING;
  v.raw.p = name.p - 1;
  v.raw.n = name.n + 2;
  return ofox_json_is(v, word);
}

#define IS(word)                                                              \
  (is(name, word, sizeof(word) - 1) || (escapes && is_spelt(name, word)))

/* Is there anything in it? */
static int says(struct ofox_json v) {
  switch (v.type) {
  case OFOX_JSON_TRUE:
  case OFOX_JSON_NUMBER:
    return 1;
  case OFOX_JSON_STRING:
    return v.raw.n > 2;
  case OFOX_JSON_ARRAY:
  case OFOX_JSON_OBJECT: {
    struct ofox_json key, child;
    size_t pos = 0;
    return v.raw.n > 2 && ofox_json_next(v, &pos, &key, &child);
  }
  default:
    return 0;
  }
}

/* What a choice says. */
struct choice {
  struct ofox_json content; /* of its delta */
  int says;                 /* its delta says something besides a role */
  int other;                /* and besides the content */
  int finished, failed;
  double index;
};

static int read_delta(struct reading *r, struct choice *c) {
  struct ofox_span name;
  struct ofox_json v;
  int rc = ofox_scan_enter(&r->s), first = 1, escapes;
  while (rc == 1) {
    rc = ofox_scan_member(&r->s, first, &name);
    first = 0;
    if (rc != 1)
      break;
    escapes = r->s.escapes;
    rc = ofox_scan_value(&r->s, &v);
    if (rc != 1 || !says(v) || IS("role"))
      continue;
    c->says = 1;
    if (v.type == OFOX_JSON_STRING && c->content.type == OFOX_JSON_NONE &&
        IS("content"))
      c->content = v;
    else
      c->other = 1;
  }
  return rc == OFOX_SCAN_CLOSED ? 1 : rc;
}

static int read_member(struct reading *r, struct ofox_span name,
                       struct choice *c) {
  struct ofox_json v;
  int rc, escapes = r->s.escapes;
  if ((IS("delta") || IS("message")) && ofox_scan_peek(&r->s) == '{')
    return read_delta(r, c);
  rc = ofox_scan_value(&r->s, &v);
  if (rc != 1)
    return rc;
  if (IS("index")) {
    ofox_json_number(v, &c->index);
  }
  else if (says(v)) {
    c->other = 1;
    if (IS("finish_reason") && v.type == OFOX_JSON_STRING) {
      c->finished = 1;
      c->failed |= ofox_json_is(v, "error");
    }
    else if (IS("text")) {
      c->says = 1;
    }
  }
  return 1;
}

static int read_choice(struct reading *r) {
  struct ofox_delta *out = r->out;
  const char *start = r->s.p;
  struct ofox_span name;
  struct choice c;
  int rc = ofox_scan_enter(&r->s), first = 1;
  uint64_t bit;
  memset(&c, 0, sizeof(c));
  c.index = (double)r->choices++;
  while (rc == 1) {
    rc = ofox_scan_member(&r->s, first, &name);
    first = 0;
    if (rc == 1)
      rc = read_member(r, name, &c);
  }
  if (rc != OFOX_SCAN_CLOSED)
    return rc;
  bit = (uint64_t)1 << (c.index >= 0 && c.index < 1e9 ? (uint64_t)c.index % 64
                                                      : 0);
  out->begun |= bit;
  out->finished |= c.finished ? bit : 0;
  out->content |= c.says || c.finished;
  r->other |= c.other;
  if (c.index == 0 && out->text.type == OFOX_JSON_NONE)
    out->text = c.content;
  else
    r->other = 1;
  if (c.failed && out->part.p == NULL) {
    out->part.p = start;
    out->part.n = (size_t)(r->s.p - start);
    out->fallback = OFOX_CLASS_UPSTREAM;
  }
  return 1;
}

static int read_choices(struct reading *r) {
  struct ofox_span name;
  struct ofox_json v;
  int rc = ofox_scan_enter(&r->s), first = 1;
  while (rc == 1) {
    rc = ofox_scan_member(&r->s, first, &name);
    first = 0;
    if (rc != 1)
      break;
    rc = ofox_scan_peek(&r->s) == '{' ? read_choice(r)
                                      : ofox_scan_value(&r->s, &v);
  }
  return rc == OFOX_SCAN_CLOSED ? 1 : rc;
}

/* The first of duplicates counts. */
static void note(struct ofox_json *to, struct ofox_json v) {
  if (to->type == OFOX_JSON_NONE)
    *to = v;
}

/* A member of the event itself that was read whole. */
static void note_member(struct reading *r, struct ofox_span name, int escapes,
                        struct ofox_json v) {
  if (IS("error")) {
    r->says_error |= v.type == OFOX_JSON_OBJECT;
    r->error_text |= v.type == OFOX_JSON_STRING && says(v);
    return;
  }
  if (IS("type")) {
    note(&r->type, v);
    r->says_error |= ofox_json_is(v, "error");
  }
  else if (IS("object")) {
    r->says_error |= ofox_json_is(v, "error");
  }
  else if (IS("id")) {
    r->id = 1;
  }
  else if (IS("usage")) {
    r->other |= v.type != OFOX_JSON_NULL;
  }
  else if (r->dialect == OFOX_DIALECT_RESPONSES) {
    if (IS("delta"))
      note(&r->delta, v);
    else if (IS("response"))
      note(&r->response, v);
  }
}

static int read_object(struct reading *r) {
  struct ofox_span name;
  struct ofox_json v;
  int rc = ofox_scan_enter(&r->s), first = 1, escapes;
  while (rc == 1) {
    rc = ofox_scan_member(&r->s, first, &name);
    first = 0;
    if (rc != 1)
      break;
    escapes = r->s.escapes;
    if (r->dialect == OFOX_DIALECT_CHAT && r->choices == 0 && IS("choices") &&
        ofox_scan_peek(&r->s) == '[') {
      rc = read_choices(r);
      continue;
    }
    rc = ofox_scan_value(&r->s, &v);
    if (rc == 1)
      note_member(r, name, escapes, v);
  }
  return rc == OFOX_SCAN_CLOSED ? 1 : rc;
}

/*
** Many events of a stream differ from the one before in their text alone: what
** stands before and behind it needs no second reading.
*/
int ofox_delta_again(struct ofox_span before, const struct ofox_delta *d,
                     struct ofox_span data, struct ofox_delta *out) {
  size_t head = (size_t)(d->text.raw.p - before.p) + 1;
  size_t tail = before.n - head - d->text.raw.n + 2;
  struct ofox_scan s;
  if (data.n <= head + tail || memcmp(data.p, before.p, head) != 0 ||
      memcmp(data.p + data.n - tail, before.p + before.n - tail, tail) != 0)
    return 0;
  ofox_scan_start(&s, data);
  s.p += head;
  if (memchr(s.p, '\0', data.n - head - tail) != NULL ||
      ofox_scan_string(&s) != 1 || s.p != data.p + data.n - tail + 1)
    return 0;
  *out = *d;
  out->text.raw.p = data.p + head - 1;
  out->text.raw.n = data.n - head - tail + 2;
  out->part = data;
  return 1;
}

static void judge_chat(struct reading *r) {
  struct ofox_delta *out = r->out;
  if (out->fallback == OFOX_CLASS_UPSTREAM)
    out->kind = OFOX_DELTA_ERROR;
  out->plain = !r->other && out->text.type == OFOX_JSON_STRING;
}

/* Events of the Responses protocol that only open something. */
static int is_opening(struct ofox_span type) {
  static const char *const names[] = {"created",
                                      "queued",
                                      "in_progress",
                                      "output_item.added",
                                      "content_part.added",
                                      "reasoning_summary_part.added"};
  size_t i;
  if (type.n < 9 || memcmp(type.p, "response.", 9) != 0)
    return 0;
  type.p += 9;
  type.n -= 9;
  for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (ofox_span_eq(type, names[i]))
      return 1;
  }
  return 0;
}

static void judge_responses(struct reading *r, struct ofox_span type) {
  struct ofox_delta *out = r->out;
  if (r->type.type == OFOX_JSON_STRING && says(r->type)) {
    type.p = r->type.raw.p + 1;
    type.n = r->type.raw.n - 2;
  }
  if (ofox_span_eq(type, "ping")) {
    out->kind = OFOX_DELTA_SKIP;
    return;
  }
  out->begun = 1;
  out->content = !is_opening(type);
  if (ofox_span_eq(type, "response.output_text.delta") &&
      r->delta.type == OFOX_JSON_STRING && says(r->delta)) {
    out->text = r->delta;
    out->plain = 1;
  }
  else if (ofox_span_eq(type, "response.completed") ||
           ofox_span_eq(type, "response.incomplete")) {
    out->last = 1;
    out->finished = 1;
  }
  else if (ofox_span_eq(type, "response.failed")) {
    out->kind = OFOX_DELTA_ERROR;
    if (r->response.type == OFOX_JSON_OBJECT)
      out->part = r->response.raw;
  }
}

/* Of what is JSON and no error. */
static void judge(struct reading *r, struct ofox_span type) {
  r->out->kind = OFOX_DELTA_CHUNK;
  if (r->dialect == OFOX_DIALECT_CHAT)
    judge_chat(r);
  else if (r->dialect == OFOX_DIALECT_RESPONSES)
    judge_responses(r, type);
  else if (ofox_json_is(r->type, "ping"))
    r->out->kind = OFOX_DELTA_SKIP;
  else
    r->out->content = 1;
}

/* The event as JSON: 1, or it is none. */
static int read(struct reading *r, struct ofox_span data, int *object) {
  struct ofox_json v;
  int rc;
  ofox_scan_start(&r->s, ofox_utf8_skip_bom(data));
  *object = ofox_scan_peek(&r->s) == '{';
  rc = *object ? read_object(r) : ofox_scan_value(&r->s, &v);
  return rc == 1 ? ofox_scan_end(&r->s) : rc;
}

void ofox_delta_read(enum ofox_dialect dialect, struct ofox_span type,
                     struct ofox_span data, struct ofox_delta *out) {
  struct reading r;
  struct ofox_fault fault;
  int object;
  memset(out, 0, sizeof(*out));
  out->fallback = OFOX_CLASS_STREAM;
  if (ofox_span_eq(type, "ping") || ofox_span_trim(data).n == 0)
    return;
  if (ofox_delta_is_end(data)) {
    out->kind = OFOX_DELTA_END;
    return;
  }
  memset((char *)&r + sizeof(r.s), 0, sizeof(r) - sizeof(r.s));
  r.out = out;
  r.dialect = dialect;
  /* a NUL is nowhere in JSON, but would end it for some decoders */
  if (memchr(data.p, '\0', data.n) != NULL || read(&r, data, &object) != 1) {
    out->kind = OFOX_DELTA_BROKEN;
  }
  else if (ofox_span_eq(type, "error") || r.says_error ||
           (r.error_text && !r.id)) {
    out->kind = OFOX_DELTA_ERROR;
    out->part = data;
  }
  else if (!object && ofox_fault_find(data, OFOX_DUE_NOTHING, &fault)) {
    /* a list of them */
    out->kind = OFOX_DELTA_ERROR;
    out->part = fault.part;
  }
  else if (object) {
    if (out->part.p == NULL)
      out->part = data;
    judge(&r, type);
  }
}
