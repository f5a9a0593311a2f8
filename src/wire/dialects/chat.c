/*
** Events of chat completions: chunks with choices.
*/
#include "wire/dialects/walk.h"

#define IS(word) OFOX_READING_IS(name, escapes, word)

enum { ALL = 0 }; /* kept: the choices */
enum {
  CHOICES = 0,
  TEXTS
}; /* count: choices; texts of choice 0, more than
      one, too, if it is no string */

/* The data of a choice. */
struct choice {
  struct ofox_json content; /* the first string of its delta */
  int texts;                /* see above */
  int says;                 /* its delta says something besides a role */
  int other;                /* and besides the content */
  int finished;
  int delta; /* the body being read is one */
  double index;
};

static int read_body(struct ofox_reading *r, struct ofox_span name,
                     int escapes, void *to) {
  struct choice *c = to;
  struct ofox_json v;
  int rc = ofox_json_scan_value(&r->s, &v);
  if (rc != 1 || !ofox_reading_says(v) || IS("role"))
    return rc;
  c->says = 1;
  if (!IS("content")) {
    c->other = 1;
  }
  else if (v.type == OFOX_JSON_STRING && c->delta) {
    c->texts++;
    ofox_reading_note(&c->content, v);
  }
  else {
    c->texts += 2;
  }
  return 1;
}

static int read_member(struct ofox_reading *r, struct ofox_span name,
                       int escapes, void *to) {
  struct choice *c = to;
  struct ofox_json v;
  int rc, delta = IS("delta");
  if ((delta || IS("message")) && ofox_json_scan_peek(&r->s) == '{') {
    c->delta = delta;
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
  struct ofox_delta *out = r->out;
  struct choice c;
  int rc;
  uint64_t bit;
  (void)to;
  memset(&c, 0, sizeof(c));
  c.index = (double)r->count[CHOICES]++;
  rc = ofox_walk_object(r, read_member, &c);
  if (rc != 1)
    return rc;
  bit = ofox_reading_bit(c.index);
  out->begun |= bit;
  out->finished |= c.finished ? bit : 0;
  out->content |= c.says || c.finished;
  r->other |= c.other || c.index != 0 || r->count[CHOICES] > 1;
  if (c.index == 0) {
    r->count[TEXTS] += (size_t)c.texts;
    if (out->text.type == OFOX_JSON_NONE && c.texts == 1) {
      out->text = c.content;
      ofox_reading_add_hole(r, c.content);
    }
  }
  return 1;
}

static int read_choices(struct ofox_reading *r) {
  struct ofox_json *all = &r->kept[ALL];
  int rc;
  all->type = OFOX_JSON_ARRAY;
  all->raw.p = r->s.p;
  rc = ofox_walk_array(r, read_choice, NULL);
  all->raw.n = (size_t)(r->s.p - all->raw.p);
  return rc;
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
  if (r->count[CHOICES] == 0 && IS("choices") &&
      ofox_json_scan_peek(&r->s) == '[')
    return read_choices(r);
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
  return r->suspect || r->kept[ALL].type == OFOX_JSON_NONE ||
         r->type.type != OFOX_JSON_NONE;
}

static void judge(struct ofox_reading *r, struct ofox_span type) {
  struct ofox_delta *out = r->out;
  (void)type;
  out->plain = !r->other && r->count[TEXTS] == 1;
  if (r->count[TEXTS] > 1)
    out->text = r->kept[ALL];
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
