#include "fault.h"

#include "json.h"

static int says_error(struct ofox_span body) {
  struct ofox_json v = ofox_json_root(body), key, child;
  int text = 0, id = 0;
  size_t pos = 0;
  if (v.type == OFOX_JSON_ARRAY)
    v = ofox_json_at(v, 0);
  while (v.type == OFOX_JSON_OBJECT && ofox_json_next(v, &pos, &key, &child)) {
    if (ofox_json_is(key, "error")) {
      if (child.type == OFOX_JSON_OBJECT)
        return 1;
      text |= child.type == OFOX_JSON_STRING && child.raw.n > 2;
    }
    else if ((ofox_json_is(key, "object") || ofox_json_is(key, "type")) &&
             ofox_json_is(child, "error"))
      return 1;
    else
      id |= ofox_json_is(key, "id");
  }
  return text && !id;
}

static struct ofox_span failed_choice(struct ofox_span body) {
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

int ofox_fault_find(struct ofox_span body, struct ofox_fault *out) {
  struct ofox_span choice = failed_choice(body);
  out->part = body;
  out->fallback = choice.p != NULL ? OFOX_CLASS_UPSTREAM : OFOX_CLASS_INTERNAL;
  if (says_error(body))
    return 1;
  out->part = choice;
  return choice.p != NULL;
}
