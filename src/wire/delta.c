#include "wire/delta.h"

#include <string.h>

#include "base/json_scan.h"
#include "base/utf8.h"
#include "wire/error_in_success.h"

/*
** One event is read in one pass that also validates its grammar: every piece
** of every stream goes through this.
*/
struct reading {
  struct ofox_json_scan s;
  struct ofox_delta *out;
  enum ofox_dialect dialect;
  struct ofox_json all; /* the choices */
  size_t choices;
  int texts; /* of choice 0; more than one, too, if it is no string */
  struct ofox_json type, delta, response, logprobs; /* of a response */
  int suspect; /* something in it may say that it is an error: see fault.h */
  int other;   /* it has content besides the text of choice 0 */
};

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

/* Is it non-empty? */
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

/* Where the next event may differ and otherwise be the same. */
static void add_hole(struct ofox_holes *h, struct ofox_json v) {
  if (h->n < OFOX_HOLES)
    h->at[h->n++] = v;
}

/* The data of a choice. */
struct choice {
  struct ofox_json content; /* the first string of its delta */
  int texts;                /* see above */
  int says;                 /* its delta says something besides a role */
  int other;                /* and besides the content */
  int finished;
  double index;
};

static int read_body(struct reading *r, struct choice *c, int delta) {
  struct ofox_span name;
  struct ofox_json v;
  int rc = ofox_json_scan_enter(&r->s), first = 1, escapes;
  while (rc == 1) {
    rc = ofox_json_scan_member(&r->s, first, &name);
    first = 0;
    if (rc != 1)
      break;
    escapes = r->s.escapes;
    rc = ofox_json_scan_value(&r->s, &v);
    if (rc != 1 || !says(v) || IS("role"))
      continue;
    c->says = 1;
    if (!IS("content")) {
      c->other = 1;
    }
    else if (v.type == OFOX_JSON_STRING && delta) {
      c->texts++;
      if (c->content.type == OFOX_JSON_NONE)
        c->content = v;
    }
    else {
      c->texts += 2;
    }
  }
  return rc == OFOX_JSON_SCAN_CLOSED ? 1 : rc;
}

static int read_member(struct reading *r, struct ofox_span name,
                       struct choice *c) {
  struct ofox_json v;
  int rc, escapes = r->s.escapes, delta = IS("delta");
  if ((delta || IS("message")) && ofox_json_scan_peek(&r->s) == '{')
    return read_body(r, c, delta);
  rc = ofox_json_scan_value(&r->s, &v);
  if (rc != 1)
    return rc;
  if (IS("index")) {
    ofox_json_number(v, &c->index);
  }
  else if (says(v) && !IS("content_filter_results")) {
    c->other = 1;
    if (IS("finish_reason") && v.type == OFOX_JSON_STRING) {
      c->finished = 1;
      r->suspect |= ofox_json_is(v, "error");
    }
    else if (IS("text")) {
      c->says = 1;
    }
    else if (!IS("logprobs") && !IS("native_finish_reason")) {
      r->suspect = 1;
    }
  }
  return 1;
}

static int read_choice(struct reading *r) {
  struct ofox_delta *out = r->out;
  struct ofox_span name;
  struct choice c;
  int rc = ofox_json_scan_enter(&r->s), first = 1;
  uint64_t bit;
  memset(&c, 0, sizeof(c));
  c.index = (double)r->choices++;
  while (rc == 1) {
    rc = ofox_json_scan_member(&r->s, first, &name);
    first = 0;
    if (rc == 1)
      rc = read_member(r, name, &c);
  }
  if (rc != OFOX_JSON_SCAN_CLOSED)
    return rc;
  bit = (uint64_t)1 << (c.index >= 0 && c.index < 1e9 ? (uint64_t)c.index % 64
                                                      : 0);
  out->begun |= bit;
  out->finished |= c.finished ? bit : 0;
  out->content |= c.says || c.finished;
  r->other |= c.other || c.index != 0 || r->choices > 1;
  if (c.index == 0) {
    r->texts += c.texts;
    if (out->text.type == OFOX_JSON_NONE && c.texts == 1) {
      out->text = c.content;
      add_hole(&out->holes, c.content);
    }
  }
  return 1;
}

static int read_choices(struct reading *r) {
  struct ofox_span name;
  struct ofox_json v;
  int rc, first = 1;
  r->all.type = OFOX_JSON_ARRAY;
  r->all.raw.p = r->s.p;
  rc = ofox_json_scan_enter(&r->s);
  while (rc == 1) {
    rc = ofox_json_scan_member(&r->s, first, &name);
    first = 0;
    if (rc != 1)
      break;
    rc = ofox_json_scan_peek(&r->s) == '{' ? read_choice(r)
                                           : ofox_json_scan_value(&r->s, &v);
  }
  r->all.raw.n = (size_t)(r->s.p - r->all.raw.p);
  return rc == OFOX_JSON_SCAN_CLOSED ? 1 : rc;
}

/* The first of duplicates counts. */
static void note(struct ofox_json *to, struct ofox_json v) {
  if (to->type == OFOX_JSON_NONE)
    *to = v;
}

/* Members of a complete event that no error has. */
static int is_ordinary(struct ofox_span name, struct ofox_json v) {
  static const char *const names[] = {
      "id",      "created",   "model",        "system_fingerprint",
      "usage",   "citations", "service_tier", "prompt_filter_results",
      "provider"};
  size_t i;
  if (!says(v))
    return v.type != OFOX_JSON_FALSE;
  if (ofox_span_eq(name, "object"))
    return !ofox_json_is(v, "error");
  for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (ofox_span_eq(name, names[i]))
      return 1;
  }
  return 0;
}

static void note_response(struct reading *r, struct ofox_span name,
                          int escapes, struct ofox_json v) {
  if (IS("delta")) {
    note(&r->delta, v);
    if (v.type == OFOX_JSON_STRING && r->delta.raw.p == v.raw.p)
      add_hole(&r->out->holes, v);
  }
  else if (IS("response"))
    note(&r->response, v);
  else if (IS("logprobs"))
    r->other |= says(v);
  else if (IS("error") || IS("object"))
    r->suspect |= says(v);
}

/* A complete member of the event itself. */
static void note_member(struct reading *r, struct ofox_span name, int escapes,
                        struct ofox_json v) {
  if (IS("type")) {
    note(&r->type, v);
    return;
  }
  if ((IS("obfuscation") && v.type == OFOX_JSON_STRING) ||
      (IS("sequence_number") && v.type == OFOX_JSON_NUMBER)) {
    add_hole(&r->out->holes, v);
    return;
  }
  if (IS("usage")) {
    r->other |= v.type != OFOX_JSON_NULL;
    note(&r->out->usage, v);
  }
  if (r->dialect == OFOX_DIALECT_RESPONSES)
    note_response(r, name, escapes, v);
  else
    r->suspect |= !is_ordinary(name, v);
}

static int read_object(struct reading *r) {
  struct ofox_span name;
  struct ofox_json v;
  int rc = ofox_json_scan_enter(&r->s), first = 1, escapes;
  while (rc == 1) {
    rc = ofox_json_scan_member(&r->s, first, &name);
    first = 0;
    if (rc != 1)
      break;
    escapes = r->s.escapes;
    if (r->dialect == OFOX_DIALECT_CHAT && r->choices == 0 && IS("choices") &&
        ofox_json_scan_peek(&r->s) == '[') {
      rc = read_choices(r);
      continue;
    }
    rc = ofox_json_scan_value(&r->s, &v);
    if (rc == 1)
      note_member(r, name, escapes, v);
  }
  return rc == OFOX_JSON_SCAN_CLOSED ? 1 : rc;
}

/* Does 's' continue with the 'n' bytes at 'p'? */
static int pass(struct ofox_json_scan *s, const char *p, size_t n) {
  if ((size_t)(s->e - s->p) < n || memcmp(s->p, p, n) != 0)
    return 0;
  s->p += n;
  return 1;
}

/* A value in the place of 'v', of the same type. */
static int fill(struct ofox_json_scan *s, struct ofox_json *v) {
  enum ofox_json_type type = v->type;
  v->raw.p = s->p;
  if (type != OFOX_JSON_STRING)
    return ofox_json_scan_value(s, v) == 1 && v->type == type;
  if (s->p == s->e || *s->p++ != '"' || ofox_json_scan_string(s) != 1)
    return 0;
  v->raw.n = (size_t)(s->p - v->raw.p);
  return memchr(v->raw.p, '\0', v->raw.n) == NULL;
}

/*
** Many events of a stream differ from the previous one only in their text: the
** parts before and after it need not be read again.
*/
int ofox_delta_again(struct ofox_span before, const struct ofox_holes *of,
                     struct ofox_span data, struct ofox_holes *out) {
  const char *p = before.p, *end = before.p + before.n;
  struct ofox_json_scan s;
  int i;
  if (of->text < 0)
    return 0;
  ofox_json_scan_start(&s, data);
  for (i = 0; i < of->n; i++) {
    const struct ofox_json *v = &of->at[i];
    out->at[i].type = v->type;
    if (!pass(&s, p, (size_t)(v->raw.p - p)) || !fill(&s, &out->at[i]))
      return 0;
    p = v->raw.p + v->raw.n;
  }
  out->n = of->n;
  out->text = of->text;
  return out->at[of->text].raw.n > 2 &&
         (size_t)(s.e - s.p) == (size_t)(end - p) &&
         memcmp(s.p, p, (size_t)(end - p)) == 0;
}

void ofox_delta_move(struct ofox_holes *h, const char *from, const char *to) {
  int i;
  for (i = 0; i < h->n; i++)
    h->at[i].raw.p = to + (h->at[i].raw.p - from);
}

static void find_text(struct ofox_delta *d) {
  d->holes.text = d->holes.n;
  while (--d->holes.text >= 0 &&
         d->holes.at[d->holes.text].raw.p != d->text.raw.p)
    continue;
}

static void judge_chat(struct reading *r) {
  struct ofox_delta *out = r->out;
  out->plain = !r->other && r->texts == 1;
  if (r->texts > 1)
    out->text = r->all;
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

/* Does a name alone say that it is an error? */
static int names_error(struct ofox_span type) {
  static const char end[] = ".error";
  size_t n = sizeof(end) - 1;
  return ofox_span_eq(type, "error") ||
         (type.n > n && memcmp(type.p + type.n - n, end, n) == 0);
}

static void fail(struct ofox_delta *out, struct ofox_span part,
                 enum ofox_class fallback) {
  out->kind = OFOX_DELTA_ERROR;
  out->part = part;
  out->fallback =
      fallback == OFOX_CLASS_INTERNAL ? OFOX_CLASS_STREAM : fallback;
}

int ofox_delta_is_fault(enum ofox_dialect dialect, struct ofox_span json,
                        struct ofox_delta *out) {
  static const enum ofox_due due[] = {OFOX_DUE_CHOICES, OFOX_DUE_OUTPUT,
                                      OFOX_DUE_NOTHING};
  struct ofox_error_in_success fault;
  if (!ofox_error_in_success_find(json, due[dialect], &fault))
    return 0;
  fail(out, fault.part, fault.fallback);
  return 1;
}

/* The end of a response: was it one? */
static void judge_end(struct reading *r, int failed) {
  struct ofox_delta *out = r->out;
  int whole = r->response.type == OFOX_JSON_OBJECT;
  if (whole && ofox_delta_is_fault(r->dialect, r->response.raw, out))
    return;
  if (whole)
    out->usage = ofox_json_get(r->response, "usage");
  if (failed)
    fail(out, whole ? r->response.raw : out->part, OFOX_CLASS_STREAM);
  out->last = 1;
  out->finished = 1;
}

static void judge_response(struct reading *r, struct ofox_span type) {
  struct ofox_delta *out = r->out;
  out->begun = 1;
  out->content = !is_opening(type);
  if (ofox_span_eq(type, "response.output_text.delta") &&
      r->delta.type == OFOX_JSON_STRING && says(r->delta)) {
    out->text = r->delta;
    out->plain = !r->other;
  }
  else if (ofox_span_eq(type, "response.completed") ||
           ofox_span_eq(type, "response.incomplete")) {
    judge_end(r, 0);
  }
  else if (ofox_span_eq(type, "response.failed")) {
    judge_end(r, 1);
  }
}

/* May it contain an error? Obvious other events are not checked twice. */
static int is_suspect(const struct reading *r, struct ofox_span type) {
  if (r->dialect == OFOX_DIALECT_CHAT)
    return r->suspect || r->all.type == OFOX_JSON_NONE ||
           r->type.type != OFOX_JSON_NONE;
  if (r->dialect == OFOX_DIALECT_RESPONSES)
    return r->suspect || type.n < 9 || memcmp(type.p, "response.", 9) != 0;
  return 1;
}

/* Of what is an object. */
static void judge(struct reading *r, struct ofox_span name,
                  struct ofox_span data) {
  struct ofox_delta *out = r->out;
  enum ofox_dialect doubt = r->dialect;
  struct ofox_span type = name;
  if (r->type.type == OFOX_JSON_STRING && says(r->type)) {
    type.p = r->type.raw.p + 1;
    type.n = r->type.raw.n - 2;
  }
  /* an event of a name of its own need not be a chunk */
  if (name.n > 0 && !ofox_span_eq(name, "message"))
    doubt = OFOX_DIALECT_ANY;
  out->kind = OFOX_DELTA_CHUNK;
  out->part = data;
  if (is_suspect(r, type) && ofox_delta_is_fault(doubt, data, out))
    return;
  if (names_error(type))
    fail(out, data, OFOX_CLASS_STREAM);
  else if (ofox_span_eq(type, "ping"))
    out->kind = OFOX_DELTA_SKIP;
  else if (r->dialect == OFOX_DIALECT_CHAT)
    judge_chat(r);
  else if (r->dialect == OFOX_DIALECT_RESPONSES)
    judge_response(r, type);
  else
    out->content = 1;
}

/* The event as JSON: 1, or it is not JSON. */
static int read(struct reading *r, struct ofox_span data, int *object) {
  struct ofox_json v;
  int rc;
  ofox_json_scan_start(&r->s, ofox_utf8_skip_bom(data));
  *object = ofox_json_scan_peek(&r->s) == '{';
  rc = *object ? read_object(r) : ofox_json_scan_value(&r->s, &v);
  return rc == 1 ? ofox_json_scan_end(&r->s) : rc;
}

int ofox_delta_is_end(struct ofox_span type, struct ofox_span data) {
  return data.n >= 6 && ofox_span_eq(ofox_span_trim(data), "[DONE]") &&
         !names_error(type);
}

void ofox_delta_read(enum ofox_dialect dialect, struct ofox_span type,
                     struct ofox_span data, struct ofox_delta *out) {
  struct reading r;
  int object;
  memset(out, 0, sizeof(*out));
  out->fallback = OFOX_CLASS_STREAM;
  type = ofox_span_trim(type);
  if (names_error(type)) {
    if (!ofox_delta_is_fault(dialect, data, out))
      fail(out, data, OFOX_CLASS_STREAM);
    return;
  }
  if (ofox_span_trim(data).n == 0)
    return;
  if (ofox_span_eq(type, "ping")) { /* it may say what it likes */
    ofox_delta_is_fault(OFOX_DIALECT_ANY, data, out);
    return;
  }
  if (ofox_delta_is_end(type, data)) {
    out->kind = OFOX_DELTA_END;
    return;
  }
  memset((char *)&r + sizeof(r.s), 0, sizeof(r) - sizeof(r.s));
  r.out = out;
  r.dialect = dialect;
  /* a NUL is nowhere in JSON, but would end it for some decoders */
  if (memchr(data.p, '\0', data.n) != NULL || read(&r, data, &object) != 1)
    out->kind = OFOX_DELTA_BROKEN;
  else if (object) {
    judge(&r, type, data);
    find_text(out);
  }
  else
    ofox_delta_is_fault(dialect, data, out); /* a list of them */
}
