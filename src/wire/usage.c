#include "wire/usage.h"

#include <math.h>

#include "base/json.h"

const struct ofox_usage_name ofox_usage_names[OFOX_USAGE_NWORDS] = {
#define X(id, name, part) {name, part},
    OFOX_USAGE_WORDS(X)
#undef X
};

/* The sum of those that are there. */
static double plus(double a, double b) {
  return isnan(a) ? b : isnan(b) ? a : a + b;
}

static double first(ofox_usage_get *get, void *from,
                    const enum ofox_usage_word *words, size_t n) {
  double v = NAN;
  size_t i;
  for (i = 0; i < n && isnan(v); i++)
    v = get(from, words[i]);
  return v;
}

#define FIRST(words) first(get, from, words, sizeof(words) / sizeof(*(words)))

/* Anthropic counts cached tokens beside the input, Gemini tool results beside
** the prompt, and thoughts beside the output. */
static double input(ofox_usage_get *get, void *from) {
  double v = get(from, OFOX_USAGE_PROMPT);
  if (!isnan(v))
    return v;
  v = get(from, OFOX_USAGE_INPUT);
  if (isnan(v))
    return plus(get(from, OFOX_USAGE_PROMPT_COUNT),
                get(from, OFOX_USAGE_TOOL_USE));
  if (!isnan(get(from, OFOX_USAGE_INPUT_CACHED)))
    return v;
  return plus(v, plus(get(from, OFOX_USAGE_CACHE_READ),
                      get(from, OFOX_USAGE_CACHE_CREATED)));
}

static double output(ofox_usage_get *get, void *from) {
  static const enum ofox_usage_word words[] = {OFOX_USAGE_COMPLETION,
                                               OFOX_USAGE_OUTPUT};
  double v = FIRST(words);
  return isnan(v) ? plus(get(from, OFOX_USAGE_CANDIDATES),
                         get(from, OFOX_USAGE_THOUGHTS))
                  : v;
}

int ofox_usage_find(ofox_usage_get *get, void *from, struct ofox_usage *out) {
  static const enum ofox_usage_word cached[] = {
      OFOX_USAGE_PROMPT_CACHED, OFOX_USAGE_INPUT_CACHED, OFOX_USAGE_CACHE_READ,
      OFOX_USAGE_CONTENT_CACHED, OFOX_USAGE_CACHE_HIT};
  static const enum ofox_usage_word thought[] = {OFOX_USAGE_COMPLETION_THOUGHT,
                                                 OFOX_USAGE_OUTPUT_THOUGHT,
                                                 OFOX_USAGE_THOUGHTS};
  out->input = input(get, from);
  out->output = output(get, from);
  out->cached = out->reasoning = NAN;
  if (isnan(out->input) && isnan(out->output))
    return 0;
  out->cached = FIRST(cached);
  out->reasoning = isnan(out->output) ? NAN : FIRST(thought);
  return 1;
}

/* Of JSON text */

static double number_of(struct ofox_json v) {
  double n;
  return ofox_json_number(v, &n) && n >= 0 ? n : NAN;
}

static void note(double at[OFOX_USAGE_NWORDS], struct ofox_json key,
                 struct ofox_json v) {
  const struct ofox_usage_name *word;
  int i;
  if (key.raw.n < 2)
    return;
  key.raw.p++;
  key.raw.n -= 2;
  for (i = 0; i < OFOX_USAGE_NWORDS; i++) {
    word = &ofox_usage_names[i];
    if (isnan(at[i]) && ofox_span_eq(key.raw, word->name))
      at[i] = number_of(word->part == NULL ? v : ofox_json_get(v, word->part));
  }
}

static double noted(void *from, enum ofox_usage_word w) {
  return ((const double *)from)[w];
}

int ofox_usage_read(struct ofox_span json, struct ofox_usage *out) {
  struct ofox_json v = ofox_json_root(json), key, child;
  double at[OFOX_USAGE_NWORDS];
  size_t pos = 0;
  int i;
  for (i = 0; i < OFOX_USAGE_NWORDS; i++)
    at[i] = NAN;
  while (ofox_json_next(v, &pos, &key, &child))
    note(at, key, child);
  return ofox_usage_find(noted, at, out);
}
