#include "delta.h"

#include <math.h>
#include <string.h>

#include "errors.h"

int ofox_delta_is_end(struct ofox_span data) {
  return ofox_span_eq(ofox_span_trim(data), "[DONE]");
}

/* Is there anything in it? */
static int says(struct ofox_json v) {
  switch (v.type) {
  case OFOX_JSON_TRUE:
  case OFOX_JSON_NUMBER:
    return 1;
  case OFOX_JSON_STRING:
  case OFOX_JSON_ARRAY:
  case OFOX_JSON_OBJECT:
    return v.raw.n > 2;
  default:
    return 0;
  }
}

/* One choice of a chat's chunk, at that place in its list. */
static void read_choice(struct ofox_json choice, size_t place,
                        struct ofox_delta *out) {
  struct ofox_json delta = ofox_json_get(choice, "delta"), key, value, text;
  double index = (double)place;
  size_t pos = 0;
  uint64_t bit;
  ofox_json_number(ofox_json_get(choice, "index"), &index);
  bit = (uint64_t)1 << (index >= 0 ? (unsigned)fmod(index, 64) : 0);
  out->begun |= bit;
  if (says(ofox_json_get(choice, "finish_reason"))) {
    out->finished |= bit;
    out->content = 1;
  }
  while (ofox_json_next(delta, &pos, &key, &value)) {
    if (!ofox_json_is(key, "role") && says(value)) {
      out->content = 1;
      out->plain &= ofox_json_is(key, "content");
    }
  }
  text = ofox_json_get(delta, "content");
  if (index == 0 && text.type == OFOX_JSON_STRING && says(text))
    out->text = text;
}

static void read_chat(struct ofox_json root, struct ofox_delta *out) {
  struct ofox_json choices = ofox_json_get(root, "choices"), key, choice;
  size_t pos = 0, n = 0;
  out->plain = !says(ofox_json_get(root, "usage"));
  while (ofox_json_next(choices, &pos, &key, &choice)) {
    if (ofox_json_is(ofox_json_get(choice, "finish_reason"), "error")) {
      out->kind = OFOX_DELTA_ERROR;
      out->fallback = OFOX_CLASS_UPSTREAM;
      out->part = choice.raw;
    }
    read_choice(choice, n++, out);
  }
  out->plain &= n == 1 && out->finished == 0 && says(out->text);
}

static void read_responses(struct ofox_json root, struct ofox_span type,
                           struct ofox_delta *out) {
  struct ofox_json name = ofox_json_get(root, "type"), response;
  if (name.type == OFOX_JSON_STRING && name.raw.n > 2) {
    type.p = name.raw.p + 1;
    type.n = name.raw.n - 2;
  }
  out->begun = 1;
  out->content = !(ofox_span_eq(type, "response.created") ||
                   ofox_span_eq(type, "response.queued") ||
                   ofox_span_eq(type, "response.in_progress") ||
                   ofox_span_eq(type, "response.output_item.added") ||
                   ofox_span_eq(type, "response.content_part.added"));
  if (ofox_span_eq(type, "response.output_text.delta")) {
    out->text = ofox_json_get(root, "delta");
    out->plain = says(out->text);
  }
  out->last = ofox_span_eq(type, "response.completed") ||
              ofox_span_eq(type, "response.incomplete");
  out->finished = out->last ? 1 : 0;
  if (ofox_span_eq(type, "response.failed")) {
    response = ofox_json_get(root, "response");
    out->kind = OFOX_DELTA_ERROR;
    if (response.type == OFOX_JSON_OBJECT)
      out->part = response.raw;
  }
}

void ofox_delta_read(enum ofox_dialect dialect, struct ofox_span type,
                     struct ofox_span data, struct ofox_delta *out) {
  struct ofox_json root;
  size_t pos;
  memset(out, 0, sizeof(*out));
  out->fallback = OFOX_CLASS_STREAM;
  out->part = data;
  if (ofox_delta_is_end(data)) {
    out->kind = OFOX_DELTA_END;
    return;
  }
  if (ofox_span_trim(data).n == 0 || ofox_span_eq(type, "ping"))
    return;
  root = ofox_json_root(data);
  if (ofox_json_check(data, &pos) != 1)
    out->kind = OFOX_DELTA_BROKEN;
  else if (ofox_span_eq(type, "error") || ofox_errors_inside(data))
    out->kind = OFOX_DELTA_ERROR;
  else if (root.type == OFOX_JSON_OBJECT)
    out->kind = OFOX_DELTA_CHUNK;
  if (out->kind != OFOX_DELTA_CHUNK)
    return;
  if (dialect == OFOX_DIALECT_CHAT)
    read_chat(root, out);
  else if (dialect == OFOX_DIALECT_RESPONSES)
    read_responses(root, type, out);
  else
    out->content = 1;
}

struct ofox_span ofox_delta_failed_choice(struct ofox_span body) {
  struct ofox_json choices, key, choice;
  size_t pos = 0;
  choices = ofox_json_get(ofox_json_root(body), "choices");
  if (choices.type != OFOX_JSON_ARRAY)
    return OFOX_NOSPAN;
  while (ofox_json_next(choices, &pos, &key, &choice)) {
    if (ofox_json_is(ofox_json_get(choice, "finish_reason"), "error"))
      return choice.raw;
  }
  return OFOX_NOSPAN;
}

int ofox_delta_reply_failed(struct ofox_span body) {
  return ofox_delta_failed_choice(body).p != NULL;
}
