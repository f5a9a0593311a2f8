#include "wire/speech.h"

#include <string.h>

#include "wire/words.h"

#define DEPTH 4   /* of envelopes inside envelopes */
#define LISTED 16 /* of a list so many are asked */

/* Is there nothing but blanks between its quotes? */
static int is_blank(struct ofox_json v) {
  size_t i = 1;
  while (i < v.raw.n) {
    if (v.raw.p[i] == '\\' && i + 1 < v.raw.n &&
        memchr("nrt", v.raw.p[i + 1], 3) != NULL)
      i++;
    else if (!ofox_isspace((unsigned char)v.raw.p[i]))
      break;
    i++;
  }
  return i >= v.raw.n || v.raw.p[i] == '"';
}

static int is_hollow(struct ofox_json v, int depth) {
  struct ofox_json key, child;
  double n;
  size_t pos = 0, asked = 0;
  switch (v.type) {
  case OFOX_JSON_TRUE:
    return 0;
  case OFOX_JSON_NUMBER:
    return ofox_json_number(v, &n) && n == 0;
  case OFOX_JSON_STRING:
    return is_blank(v) ||
           ofox_words_has_text("null none nil undefined ok success 0 "
                               "\xE6\x88\x90\xE5\x8A\x9F", /* "success" */
                               v);
  case OFOX_JSON_ARRAY:
  case OFOX_JSON_OBJECT:
    while (ofox_json_next(v, &pos, &key, &child)) {
      if (depth == 0 || asked++ == LISTED || !is_hollow(child, depth - 1))
        return 0;
    }
    return 1;
  default:
    return 1;
  }
}

int ofox_speech_is_hollow(struct ofox_json v) {
  return is_hollow(v, DEPTH);
}

static struct ofox_json find(struct ofox_json v, int depth);

static struct ofox_json find_in_list(struct ofox_json v, int depth) {
  struct ofox_json key, child, found;
  size_t pos = 0;
  int i;
  for (i = 0; i < LISTED && ofox_json_next(v, &pos, &key, &child); i++) {
    found = find(child, depth - 1);
    if (found.type != OFOX_JSON_NONE)
      return found;
  }
  v.type = OFOX_JSON_NONE;
  return v;
}

static struct ofox_json find_in_object(struct ofox_json v, int depth) {
  static const char *const names[] = {
      "error err",
      "message",
      "detail",
      "title",
      "errors",
      "base_resp fault",
      "msg",
      "error_message error_msg errmsg err_msg faultstring",
      "status_msg status_message status_text",
      "details",
      "error_description",
      "description",
      "reason error_reason",
      "exception"};
  enum { NAMES = sizeof(names) / sizeof(names[0]) };
  struct ofox_json found[NAMES], key, child;
  size_t pos = 0, i, n = 0;
  memset(found, 0, sizeof(found));
  while (n++ < OFOX_MEMBERS && ofox_json_next(v, &pos, &key, &child)) {
    for (i = 0; i < NAMES && !ofox_words_has_text(names[i], key); i++)
      continue;
    if (i < NAMES && found[i].type == OFOX_JSON_NONE)
      found[i] = child;
  }
  for (i = 0; i < NAMES; i++) {
    child = find(found[i], depth - 1);
    if (child.type != OFOX_JSON_NONE)
      return child;
  }
  v.type = OFOX_JSON_NONE;
  return v;
}

static struct ofox_json find(struct ofox_json v, int depth) {
  if (v.type == OFOX_JSON_STRING && !is_blank(v))
    return v;
  if (depth > 0 && v.type == OFOX_JSON_ARRAY)
    return find_in_list(v, depth);
  if (depth > 0 && v.type == OFOX_JSON_OBJECT)
    return find_in_object(v, depth);
  v.type = OFOX_JSON_NONE;
  return v;
}

struct ofox_json ofox_speech_find(struct ofox_json v) {
  return find(v, DEPTH);
}

static int has_words(struct ofox_json v, int depth) {
  struct ofox_json key, child;
  size_t pos = 0, n = 0;
  if (v.type == OFOX_JSON_STRING)
    return !is_blank(v);
  while (depth > 0 && n++ < OFOX_MEMBERS &&
         ofox_json_next(v, &pos, &key, &child)) {
    if (!ofox_words_has_text("type object id request_id event", key) &&
        has_words(child, depth - 1))
      return 1;
  }
  return 0;
}

int ofox_speech_has_words(struct ofox_json v) {
  return has_words(v, DEPTH);
}
