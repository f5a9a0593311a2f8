/*
** Events of the Responses protocol: each has its type, response.completed.
*/
#include "wire/dialects/walk.h"

#define IS(word) OFOX_READING_IS(name, escapes, word)

enum { DELTA, RESPONSE }; /* kept */

#define DUE "output"

static int read_top(struct ofox_reading *r, struct ofox_span name, int escapes,
                    void *to) {
  struct ofox_json v;
  int rc = ofox_json_scan_value(&r->s, &v);
  (void)to;
  if (rc != 1 || ofox_walk_common(r, name, escapes, v))
    return rc;
  if (IS("delta")) {
    ofox_reading_note(&r->kept[DELTA], v);
    if (v.type == OFOX_JSON_STRING && r->kept[DELTA].raw.p == v.raw.p)
      ofox_reading_add_hole(r, v);
  }
  else if (IS("response"))
    ofox_reading_note(&r->kept[RESPONSE], v);
  else if (IS("logprobs"))
    r->other |= ofox_reading_says(v);
  else if (IS("error") || IS("object"))
    r->suspect |= ofox_reading_says(v);
  return 1;
}

static int read(struct ofox_reading *r) {
  return ofox_walk_object(r, read_top, NULL);
}

static int is_of_response(struct ofox_span type) {
  return ofox_reading_begins(type, "response.", 9);
}

static int is_suspect(const struct ofox_reading *r, struct ofox_span type) {
  return r->suspect || !is_of_response(type);
}

/* Does an event of this type only open something? */
static int is_opening(struct ofox_span type) {
  static const char *const names[] = {"created",
                                      "queued",
                                      "in_progress",
                                      "output_item.added",
                                      "content_part.added",
                                      "reasoning_summary_part.added"};
  size_t i;
  if (!is_of_response(type))
    return 0;
  type.p += 9;
  type.n -= 9;
  for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (ofox_span_eq(type, names[i]))
      return 1;
  }
  return 0;
}

/* The end of a response: was it one? */
static void judge_end(struct ofox_reading *r, int failed) {
  struct ofox_delta *out = r->out;
  const struct ofox_json *response = &r->kept[RESPONSE];
  int whole = response->type == OFOX_JSON_OBJECT;
  if (whole && ofox_reading_is_fault(DUE, response->raw, out))
    return;
  if (whole)
    out->usage = ofox_json_get(*response, "usage");
  if (failed)
    ofox_reading_fail(out, whole ? response->raw : out->part,
                      OFOX_CLASS_STREAM);
  out->last = 1;
  out->finished = 1;
}

static void judge(struct ofox_reading *r, struct ofox_span type) {
  struct ofox_delta *out = r->out;
  out->begun = 1;
  out->content = !is_opening(type);
  if (ofox_span_eq(type, "response.output_text.delta") &&
      r->kept[DELTA].type == OFOX_JSON_STRING &&
      ofox_reading_says(r->kept[DELTA])) {
    out->text = r->kept[DELTA];
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

const struct ofox_dialect ofox_dialect_responses = {
    .name = "responses",
    .due = DUE,
    .usage = "usage",
    .read = read,
    .is_suspect = is_suspect,
    .judge = judge,
    .whole = ofox_content_text_output,
    .typed = 1,
    .strict = 1,
};
