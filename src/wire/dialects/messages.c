/*
** Events of Anthropic's Messages protocol: content blocks, each opened, filled
** and closed, in a message that ends with message_stop.
*/
#include "wire/dialects/walk.h"

#define IS(word) OFOX_READING_IS(name, escapes, word)

enum { TEXT, BLOCK, MESSAGE }; /* kept: of a delta; see their names */
enum { OTHER_DELTA };          /* count: the delta is not one of text */

static int read_delta(struct ofox_reading *r, struct ofox_span name,
                      int escapes, void *to) {
  struct ofox_json v;
  int rc = ofox_json_scan_value(&r->s, &v);
  (void)to;
  if (rc != 1 || !ofox_reading_says(v))
    return rc;
  if (IS("type")) {
    r->count[OTHER_DELTA] += !ofox_json_is(v, "text_delta");
  }
  else if (IS("text") && v.type == OFOX_JSON_STRING) {
    ofox_reading_note(&r->kept[TEXT], v);
    if (r->kept[TEXT].raw.p == v.raw.p)
      ofox_reading_add_hole(r, v);
    else
      r->other = 1;
  }
  else {
    r->other = 1;
  }
  return 1;
}

static int read_top(struct ofox_reading *r, struct ofox_span name, int escapes,
                    void *to) {
  struct ofox_json v;
  int rc;
  (void)to;
  if (IS("delta") && ofox_json_scan_peek(&r->s) == '{')
    return ofox_walk_object(r, read_delta, NULL);
  rc = ofox_json_scan_value(&r->s, &v);
  if (rc != 1 || ofox_walk_common(r, name, escapes, v))
    return rc;
  if (IS("content_block"))
    ofox_reading_note(&r->kept[BLOCK], v);
  else if (IS("message"))
    ofox_reading_note(&r->kept[MESSAGE], v);
  else if (IS("error") || IS("object"))
    r->suspect |= ofox_reading_says(v);
  else if (!IS("index"))
    r->other |= ofox_reading_says(v);
  return 1;
}

static int read(struct ofox_reading *r) {
  return ofox_walk_object(r, read_top, NULL);
}

static int is_suspect(const struct ofox_reading *r, struct ofox_span type) {
  return r->suspect || !(ofox_reading_begins(type, "message_", 8) ||
                         ofox_reading_begins(type, "content_block_", 14));
}

/* Does a block say more than what it is going to be? */
static int has_content(struct ofox_json block) {
  struct ofox_json key, v;
  size_t pos = 0;
  while (ofox_json_next(block, &pos, &key, &v)) {
    if (ofox_reading_says(v) && !ofox_json_is(key, "type") &&
        !ofox_json_is(key, "id") && !ofox_json_is(key, "name"))
      return 1;
  }
  return 0;
}

static void judge_block(struct ofox_reading *r) {
  struct ofox_json block = r->kept[BLOCK], text;
  r->out->content = has_content(block);
  text = ofox_json_get(block, "text");
  if (text.type == OFOX_JSON_STRING && ofox_reading_says(text) &&
      ofox_json_is(ofox_json_get(block, "type"), "text"))
    r->out->text = text;
}

static void judge_start(struct ofox_reading *r) {
  struct ofox_json content = ofox_json_get(r->kept[MESSAGE], "content");
  r->out->usage = ofox_json_get(r->kept[MESSAGE], "usage");
  r->out->content = ofox_reading_says(content);
  if (content.type == OFOX_JSON_ARRAY && ofox_reading_says(content))
    r->out->text = content;
}

static void judge(struct ofox_reading *r, struct ofox_span type) {
  struct ofox_delta *out = r->out;
  out->begun = 1;
  if (ofox_span_eq(type, "content_block_delta")) {
    out->content = 1;
    if (r->kept[TEXT].type != OFOX_JSON_NONE && r->count[OTHER_DELTA] == 0) {
      out->text = r->kept[TEXT];
      out->plain = !r->other;
    }
  }
  else if (ofox_span_eq(type, "content_block_start")) {
    judge_block(r);
  }
  else if (ofox_span_eq(type, "message_start")) {
    judge_start(r);
  }
  else if (ofox_span_eq(type, "message_stop")) {
    out->content = out->last = 1;
    out->finished = 1;
  }
  else {
    out->content = !ofox_span_eq(type, "content_block_stop");
  }
}

/* The texts of the blocks of a content. */
static int words(struct ofox_content_text *w, struct ofox_json content) {
  struct ofox_json key, block, text;
  size_t pos = 0;
  int rc = 0;
  while (rc == 0 && ofox_json_next(content, &pos, &key, &block)) {
    text = ofox_json_get(block, "text");
    if (text.type == OFOX_JSON_STRING &&
        ofox_json_is(ofox_json_get(block, "type"), "text"))
      rc = ofox_content_text_string(w, text);
  }
  return rc;
}

static int whole(struct ofox_content_text *w, struct ofox_json root) {
  struct ofox_json content = ofox_json_get(root, "content");
  return content.type == OFOX_JSON_ARRAY ? words(w, content) : 0;
}

const struct ofox_dialect ofox_dialect_messages = {
    .name = "messages",
    .due = "content",
    .usage = "usage",
    .read = read,
    .is_suspect = is_suspect,
    .judge = judge,
    .words = words,
    .whole = whole,
    .typed = 1,
    .strict = 1,
    .counts = 1,
};
