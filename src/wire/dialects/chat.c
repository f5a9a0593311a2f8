/*
** Events of chat completions: chunks with choices.
*/
#include "wire/dialects/choice.h"

#define IS(word) OFOX_READING_IS(name, escapes, word)

static int read_body(struct ofox_reading *r, struct ofox_span name,
                     int escapes, void *to) {
  struct ofox_choice *c = to; /* mark: the body is a delta */
  struct ofox_json v;
  int rc = ofox_json_scan_value(&r->s, &v);
  if (rc != 1 || !ofox_reading_says(v) || IS("role"))
    return rc;
  c->says = 1;
  if (!IS("content")) {
    c->other = 1;
  }
  else if (v.type == OFOX_JSON_STRING && c->mark) {
    c->texts++;
    ofox_reading_note(&c->text, v);
  }
  else {
    c->texts += 2;
  }
  return 1;
}

static int read_member(struct ofox_reading *r, struct ofox_span name,
                       int escapes, void *to) {
  struct ofox_choice *c = to;
  struct ofox_json v;
  int rc, delta = IS("delta");
  if ((delta || IS("message")) && ofox_json_scan_peek(&r->s) == '{') {
    c->mark = delta;
    return ofox_walk_object(r, read_body, c);
  }
  rc = ofox_json_scan_value(&r->s, &v);
  if (rc != 1)
    return rc;
  if (IS("index")) {
    ofox_json_number(v, &c->index);
  }
  else if (ofox_reading_says(v) && !IS("content_filter_results")) {
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

static int read_choice(struct ofox_reading *r, void *to) {
  (void)to;
  return ofox_choice_read(r, read_member);
}

/* Members of a complete event that no error has. */
static int is_ordinary(struct ofox_span name, struct ofox_json v) {
  static const char *const names[] = {
      "id",      "created",   "model",        "system_fingerprint",
      "usage",   "citations", "service_tier", "prompt_filter_results",
      "provider"};
  size_t i;
  if (!ofox_reading_says(v))
    return v.type != OFOX_JSON_FALSE;
  if (ofox_span_eq(name, "object"))
    return !ofox_json_is(v, "error");
  for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (ofox_span_eq(name, names[i]))
      return 1;
  }
  return 0;
}

static int read_top(struct ofox_reading *r, struct ofox_span name, int escapes,
                    void *to) {
  struct ofox_json v;
  int rc;
  (void)to;
  if (r->count[OFOX_CHOICE_COUNT] == 0 && IS("choices") &&
      ofox_json_scan_peek(&r->s) == '[')
    return ofox_choice_read_all(r, read_choice);
  rc = ofox_json_scan_value(&r->s, &v);
  if (rc == 1 && !ofox_walk_common(r, name, escapes, v))
    r->suspect |= !is_ordinary(name, v);
  return rc;
}

static int read(struct ofox_reading *r) {
  return ofox_walk_object(r, read_top, NULL);
}

static int is_suspect(const struct ofox_reading *r, struct ofox_span type) {
  (void)type;
  return r->suspect || ofox_choice_is_none(r) ||
         r->type.type != OFOX_JSON_NONE;
}

static void judge(struct ofox_reading *r, struct ofox_span type) {
  (void)type;
  r->out->plain = ofox_choice_judge(r) && !r->other;
}

static int whole(struct ofox_content_text *w, struct ofox_json root) {
  return ofox_content_text_choices(w, ofox_json_get(root, "choices"));
}

const struct ofox_dialect ofox_dialect_chat = {
    .name = "chat",
    .due = "choices",
    .usage = "usage",
    .read = read,
    .is_suspect = is_suspect,
    .judge = judge,
    .words = ofox_content_text_choices,
    .whole = whole,
};
