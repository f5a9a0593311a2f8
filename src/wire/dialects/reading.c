#include "wire/dialects/reading.h"

#include "wire/error_in_success.h"

int ofox_reading_is_spelt(struct ofox_span name, const char *word) {
  struct ofox_json v;
  v.type = OFOX_JSON_STRING;
  v.raw.p = name.p - 1;
  v.raw.n = name.n + 2;
  return ofox_json_is(v, word);
}

int ofox_reading_has_child(struct ofox_json v) {
  struct ofox_json key, child;
  size_t pos = 0;
  return v.raw.n > 2 && ofox_json_next(v, &pos, &key, &child);
}

void ofox_reading_fail(struct ofox_delta *out, struct ofox_span part,
                       enum ofox_class fallback) {
  out->kind = OFOX_DELTA_ERROR;
  out->part = part;
  out->fallback =
      fallback == OFOX_CLASS_INTERNAL ? OFOX_CLASS_STREAM : fallback;
}

int ofox_reading_is_fault(const char *due, struct ofox_span json,
                          struct ofox_delta *out) {
  struct ofox_error_in_success fault;
  if (!ofox_error_in_success_find(json, due, &fault))
    return 0;
  ofox_reading_fail(out, fault.part, fault.fallback);
  return 1;
}
