/*
** Events of Gemini's protocol: each is an answer with the candidates' next
** parts. A reason why each has finished ends them, and the end of the body.
*/
#include "wire/dialects/choice.h"

#define IS(word) OFOX_READING_IS(name, escapes, word)

struct part {
  struct ofox_json text;
  int thought, other;
};

static int read_part_member(struct ofox_reading *r, struct ofox_span name,
                            int escapes, void *to) {
  struct part *p = to;
  struct ofox_json v;
  int rc = ofox_json_scan_value(&r->s, &v);
  if (rc != 1 || !ofox_reading_says(v))
    return rc;
  if (IS("thought"))
    p->thought = 1;
  else if (IS("text") && v.type == OFOX_JSON_STRING &&
           p->text.type == OFOX_JSON_NONE)
    p->text = v;
  else
    p->other = 1;
  return 1;
}

static int read_part(struct ofox_reading *r, void *to) {
  struct ofox_choice *c = to;
  struct part p;
  int rc;
  memset(&p, 0, sizeof(p));
  rc = ofox_walk_object(r, read_part_member, &p);
  if (rc != 1)
    return rc;
  c->other |= p.other || p.thought;
  c->says |= p.other || p.text.type != OFOX_JSON_NONE;
  if (p.text.type != OFOX_JSON_NONE && !p.thought) {
    c->texts++;
    ofox_reading_note(&c->text, p.text);
  }
  return 1;
}

static int read_content(struct ofox_reading *r, struct ofox_span name,
                        int escapes, void *to) {
  struct ofox_choice *c = to;
  struct ofox_json v;
  int rc;
  if (IS("parts") && ofox_json_scan_peek(&r->s) == '[')
    return ofox_walk_array(r, read_part, c);
  rc = ofox_json_scan_value(&r->s, &v);
  c->other |= rc == 1 && !IS("role") && ofox_reading_says(v);
  return rc;
}

static int read_member(struct ofox_reading *r, struct ofox_span name,
                       int escapes, void *to) {
  struct ofox_choice *c = to;
  struct ofox_json v;
  int rc;
  if (IS("content") && ofox_json_scan_peek(&r->s) == '{')
    return ofox_walk_object(r, read_content, c);
  rc = ofox_json_scan_value(&r->s, &v);
  if (rc != 1 || !ofox_reading_says(v))
    return rc;
  if (IS("index"))
    ofox_json_number(v, &c->index);
  else
    c->other = 1;
  if (IS("finishReason") && v.type == OFOX_JSON_STRING &&
      !ofox_json_is(v, "FINISH_REASON_UNSPECIFIED"))
    c->finished = 1;
  return 1;
}

static int read_candidate(struct ofox_reading *r, void *to) {
  (void)to;
  return ofox_choice_read(r, read_member);
}

/* A prompt that is refused has no candidates, and ends like an answer. */
static void note_feedback(struct ofox_reading *r, struct ofox_json v) {
  r->other |= ofox_reading_says(v);
  if (v.type == OFOX_JSON_OBJECT &&
      ofox_reading_says(ofox_json_get(v, "blockReason"))) {
    r->out->content = 1;
    r->out->begun |= 1;
    r->out->finished |= 1;
  }
}

/* Counts grow with each piece of text: events that differ in them are alike.
 */
static int read_count(struct ofox_reading *r, struct ofox_span name,
                      int escapes, void *to) {
  struct ofox_json v;
  int rc = ofox_json_scan_value(&r->s, &v);
  (void)to;
  if (rc == 1 && v.type == OFOX_JSON_NUMBER &&
      (IS("candidatesTokenCount") || IS("totalTokenCount")))
    ofox_reading_add_hole(r, v);
  return rc;
}

static int read_usage(struct ofox_reading *r) {
  struct ofox_json v;
  int rc;
  v.type = OFOX_JSON_OBJECT;
  v.raw.p = r->s.p;
  rc = ofox_walk_object(r, read_count, NULL);
  v.raw.n = (size_t)(r->s.p - v.raw.p);
  r->other |= r->out->usage.type != OFOX_JSON_NONE;
  ofox_reading_note(&r->out->usage, v);
  return rc;
}

static int read_top(struct ofox_reading *r, struct ofox_span name, int escapes,
                    void *to) {
  struct ofox_json v;
  int rc;
  (void)to;
  if (ofox_choice_is_none(r) && IS("candidates") &&
      ofox_json_scan_peek(&r->s) == '[')
    return ofox_choice_read_all(r, read_candidate);
  if (IS("usageMetadata") && ofox_json_scan_peek(&r->s) == '{')
    return read_usage(r);
  rc = ofox_json_scan_value(&r->s, &v);
  if (rc != 1)
    return rc;
  if (IS("usageMetadata"))
    r->other |= ofox_reading_says(v);
  else if (IS("promptFeedback")) {
    note_feedback(r, v);
  }
  else if (!IS("modelVersion") && !IS("responseId") && !IS("createTime")) {
    ofox_walk_common(r, name, escapes, v);
    r->suspect |= ofox_reading_says(v) || v.type == OFOX_JSON_FALSE;
  }
  return 1;
}

static int read(struct ofox_reading *r) {
  return ofox_walk_object(r, read_top, NULL);
}

static int is_suspect(const struct ofox_reading *r, struct ofox_span type) {
  (void)type;
  return r->suspect || ofox_choice_is_none(r);
}

static void judge(struct ofox_reading *r, struct ofox_span type) {
  (void)type;
  r->out->plain = ofox_choice_judge(r) && !r->other && !r->suspect;
}

static int add_parts(struct ofox_content_text *w, struct ofox_json parts) {
  struct ofox_json key, part, text;
  size_t pos = 0;
  int rc = 0;
  while (rc == 0 && ofox_json_next(parts, &pos, &key, &part)) {
    text = ofox_json_get(part, "text");
    if (text.type == OFOX_JSON_STRING &&
        !ofox_reading_says(ofox_json_get(part, "thought")))
      rc = ofox_content_text_string(w, text);
  }
  return rc;
}

/* The texts of candidate 0. */
static int words(struct ofox_content_text *w, struct ofox_json candidates) {
  struct ofox_json key, candidate, parts;
  size_t pos = 0, n = 0;
  double index;
  int rc = 0;
  while (rc == 0 && ofox_json_next(candidates, &pos, &key, &candidate)) {
    if (candidate.type != OFOX_JSON_OBJECT)
      continue;
    index = (double)n++;
    ofox_json_number(ofox_json_get(candidate, "index"), &index);
    parts = ofox_json_get(ofox_json_get(candidate, "content"), "parts");
    if (index == 0 && parts.type == OFOX_JSON_ARRAY)
      rc = add_parts(w, parts);
  }
  return rc;
}

static int whole(struct ofox_content_text *w, struct ofox_json root) {
  struct ofox_json candidates = ofox_json_get(root, "candidates");
  return candidates.type == OFOX_JSON_ARRAY ? words(w, candidates) : 0;
}

const struct ofox_dialect ofox_dialect_gemini = {
    .name = "gemini",
    .due = "candidates",
    .refusal = "promptFeedback",
    .usage = "usageMetadata",
    .read = read,
    .is_suspect = is_suspect,
    .judge = judge,
    .words = words,
    .whole = whole,
    .strict = 1,
    .lists = 1,
    .runs = 1,
};
