#include "wire/request_lists.h"

static int is_among(struct ofox_span s, const char *const *names) {
  for (; *names != NULL; names++) {
    if (ofox_span_eq(s, *names))
      return 1;
  }
  return 0;
}

int ofox_request_lists_has(struct ofox_span s, int depth) {
  static const char *const top[] = {"include", "input", NULL};
  static const char *const any[] = {
      "allOf",      "anyOf",       "content",  "contents",   "enum",
      "examples",   "fallback",    "messages", "modalities", "oneOf",
      "parts",      "prefixItems", "required", "stop",       "stop_sequences",
      "tool_calls", "tools",       NULL};
  return is_among(s, any) || (depth == 1 && is_among(s, top));
}

int ofox_request_lists_ends(struct ofox_span s, int depth) {
  static const char *const names[] = {"$defs",
                                      "args",
                                      "arguments",
                                      "const",
                                      "default",
                                      "definitions",
                                      "dependentSchemas",
                                      "metadata",
                                      "patternProperties",
                                      "properties",
                                      NULL};
  return is_among(s, names) || (depth > 1 && ofox_span_eq(s, "input"));
}
