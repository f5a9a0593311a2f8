#include "delta.h"

#include "json.h"

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
