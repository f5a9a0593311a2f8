#include "wire/content_text.h"

#include <string.h>

void ofox_content_text_init(struct ofox_content_text *w, size_t cap) {
  memset(w, 0, sizeof(*w));
  ofox_buf_init(&w->text, cap);
}

void ofox_content_text_free(struct ofox_content_text *w) {
  ofox_buf_free(&w->text);
}

void ofox_content_text_clear(struct ofox_content_text *w) {
  ofox_buf_clear(&w->text);
  memset(&w->_half, 0, sizeof(w->_half));
  w->by_delta = 0;
}

int ofox_content_text_end(struct ofox_content_text *w) {
  return ofox_half_char_end(&w->_half, &w->text);
}

int ofox_content_text_string(struct ofox_content_text *w,
                             struct ofox_json string) {
  w->by_delta = 1;
  return ofox_json_piece(string, &w->_half, &w->text);
}

/* One part of a content, or a content that is not a list. */
static int add_part(struct ofox_content_text *w, struct ofox_json part) {
  struct ofox_json type;
  if (part.type == OFOX_JSON_OBJECT) {
    type = ofox_json_get(part, "type");
    if (type.type != OFOX_JSON_NONE && type.type != OFOX_JSON_NULL &&
        !ofox_json_is(type, "text") && !ofox_json_is(type, "output_text"))
      return 0;
    part = ofox_json_get(part, "text");
  }
  if (part.type == OFOX_JSON_NUMBER)
    return ofox_half_char_bytes(&w->_half, &w->text, part.raw);
  return ofox_json_piece(part, &w->_half, &w->text);
}

static int add_content(struct ofox_content_text *w, struct ofox_json content) {
  struct ofox_json key, part;
  size_t pos = 0;
  int rc = 0;
  if (content.type != OFOX_JSON_ARRAY)
    return add_part(w, content);
  while (rc == 0 && ofox_json_next(content, &pos, &key, &part))
    rc = add_part(w, part);
  return rc;
}

/* 'a' is how 'b' begins. */
static int begins(const struct ofox_buf *a, const struct ofox_buf *b) {
  return a->n <= b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

static int add_rest(struct ofox_content_text *w, struct ofox_json content) {
  struct ofox_content_text whole;
  int rc;
  ofox_content_text_init(&whole, (size_t)-1);
  rc = add_content(&whole, content);
  if (rc == 0)
    rc = ofox_content_text_end(&whole);
  if (rc != 0)
    goto out;
  if (begins(&w->text, &whole.text)) {
    if (whole.text.n > w->text.n) {
      memset(&w->_half, 0, sizeof(w->_half));
      rc = ofox_buf_add(&w->text, whole.text.p + w->text.n,
                        whole.text.n - w->text.n);
    }
  }
  else if (!w->by_delta && !begins(&whole.text, &w->text)) {
    rc = add_content(w, content); /* messages are the pieces here */
  }
out:
  ofox_content_text_free(&whole);
  return rc;
}

/* The contents in the deltas, or in the messages, of a choice. */
static int add_bodies(struct ofox_content_text *w, struct ofox_json choice,
                      int deltas) {
  struct ofox_json key, body, name, content;
  size_t pos = 0, at, before;
  int rc = 0;
  while (rc == 0 && ofox_json_next(choice, &pos, &key, &body)) {
    if (body.type != OFOX_JSON_OBJECT ||
        !ofox_json_is(key, deltas ? "delta" : "message"))
      continue;
    at = 0;
    while (rc == 0 && ofox_json_next(body, &at, &name, &content)) {
      if (!ofox_json_is(name, "content"))
        continue;
      before = w->text.n;
      rc = deltas ? add_content(w, content) : add_rest(w, content);
      w->by_delta |= deltas && w->text.n > before;
    }
  }
  return rc;
}

/* The last 'index', as decoders have it; else its position. */
static double index_of(struct ofox_json choice, double place) {
  struct ofox_json key, value;
  size_t pos = 0;
  while (ofox_json_next(choice, &pos, &key, &value)) {
    if (ofox_json_is(key, "index"))
      ofox_json_number(value, &place);
  }
  return place;
}

int ofox_content_text_choices(struct ofox_content_text *w,
                              struct ofox_json choices) {
  struct ofox_json key, choice;
  size_t pos = 0, n = 0;
  int rc = 0;
  while (rc == 0 && ofox_json_next(choices, &pos, &key, &choice)) {
    if (choice.type != OFOX_JSON_OBJECT || index_of(choice, (double)n++) != 0)
      continue;
    rc = add_bodies(w, choice, 1);
    if (rc == 0)
      rc = add_bodies(w, choice, 0);
  }
  return rc;
}

int ofox_content_text_output(struct ofox_content_text *w,
                             struct ofox_json response) {
  struct ofox_json key, item, part, output, content;
  size_t pos = 0, at;
  int rc = 0;
  output = ofox_json_get(response, "output");
  while (rc == 0 && ofox_json_next(output, &pos, &key, &item)) {
    content = ofox_json_get(item, "content");
    at = 0;
    while (rc == 0 && ofox_json_next(content, &at, &key, &part)) {
      if (ofox_json_is(ofox_json_get(part, "type"), "output_text"))
        rc = add_part(w, part);
    }
  }
  return rc;
}
