#include "wire/usage.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"

const struct ofox_usage_name ofox_usage_names[OFOX_USAGE_NWORDS] = {
#define X(id, name, part) {name, part},
    OFOX_USAGE_WORDS(X)
#undef X
};

/* Of 'n' bytes each, at least 8: where 'n' and one of them are known when this
** is compiled, a few instructions. */
static inline int is_same(const char *a, const char *b, size_t n) {
  uint64_t x, y, differ = 0;
  size_t i;
  for (i = 0; i < n; i += 8) {
    size_t at = i + 8 < n ? i : n - 8;
    memcpy(&x, a + at, 8);
    memcpy(&y, b + at, 8);
    differ |= x ^ y;
  }
  return differ == 0;
}

enum ofox_usage_word ofox_usage_word(struct ofox_span s) {
#define X(id, name, part)                                                     \
  if (s.n == sizeof(name) - 1 && is_same(s.p, name, sizeof(name) - 1))        \
    return OFOX_USAGE_##id;
  OFOX_USAGE_WORDS(X)
#undef X
  return OFOX_USAGE_NWORDS;
}

int ofox_usage_is_part(enum ofox_usage_word w, struct ofox_span s) {
  const char *part = ofox_usage_names[w].part;
  return part != NULL && s.n > 0 && s.p[0] == part[0] && ofox_span_eq(s, part);
}

void ofox_usage_clear(struct ofox_usage_said *said) {
  int i;
  for (i = 0; i < OFOX_USAGE_NWORDS; i++)
    said->at[i] = NAN;
}

void ofox_usage_say(struct ofox_usage_said *said, enum ofox_usage_word w,
                    double n) {
  said->at[w] = n >= 0 ? n : NAN;
}

/* The sum of those that are there. */
static double plus(double a, double b) {
  return isnan(a) ? b : isnan(b) ? a : a + b;
}

#define AT(id) (said->at[OFOX_USAGE_##id])

/* Anthropic counts cached tokens beside the input, Gemini tool results beside
** the prompt, and thoughts beside the output. */
static double input(const struct ofox_usage_said *said) {
  if (!isnan(AT(PROMPT)))
    return AT(PROMPT);
  if (isnan(AT(INPUT)))
    return plus(AT(PROMPT_COUNT), AT(TOOL_USE));
  if (!isnan(AT(INPUT_CACHED)))
    return AT(INPUT);
  return plus(AT(INPUT), plus(AT(CACHE_READ), AT(CACHE_CREATED)));
}

static double first(double a, double b) {
  return isnan(a) ? b : a;
}

int ofox_usage_sum(const struct ofox_usage_said *said,
                   struct ofox_usage *out) {
  out->input = input(said);
  out->output = first(first(AT(COMPLETION), AT(OUTPUT)),
                      plus(AT(CANDIDATES), AT(THOUGHTS)));
  out->cached = out->reasoning = NAN;
  if (isnan(out->input) && isnan(out->output))
    return 0;
  out->cached = first(first(first(AT(PROMPT_CACHED), AT(INPUT_CACHED)),
                            first(AT(CACHE_READ), AT(CONTENT_CACHED))),
                      AT(CACHE_HIT));
  if (!isnan(out->output))
    out->reasoning =
        first(first(AT(COMPLETION_THOUGHT), AT(OUTPUT_THOUGHT)), AT(THOUGHTS));
  return 1;
}

/* Of JSON text: null is as if it were not there. */

static void note(struct ofox_usage_said *said, struct ofox_json key,
                 struct ofox_json v) {
  enum ofox_usage_word w;
  double n;
  if (key.raw.n < 2 || v.type == OFOX_JSON_NULL)
    return;
  key.raw.p++;
  key.raw.n -= 2;
  w = ofox_usage_word(key.raw);
  if (w == OFOX_USAGE_NWORDS)
    return;
  if (ofox_usage_names[w].part != NULL)
    v = ofox_json_get(v, ofox_usage_names[w].part);
  ofox_usage_say(said, w, ofox_json_number(v, &n) ? n : NAN);
}

int ofox_usage_read(struct ofox_span json, struct ofox_usage *out) {
  struct ofox_json v = ofox_json_root(json), key, child;
  struct ofox_usage_said said;
  size_t pos = 0;
  ofox_usage_clear(&said);
  while (ofox_json_next(v, &pos, &key, &child))
    note(&said, key, child);
  return ofox_usage_sum(&said, out);
}

/* The members of a usage behind those of what was said until now: of each name
** the last counts. */
static int add_members(struct ofox_buf *said, struct ofox_json usage) {
  struct ofox_json was = ofox_json_root(ofox_buf_span(said)), key, v;
  size_t n = said->n, pos = 0;
  if (!ofox_json_next(was, &pos, &key, &v))
    return 0;
  pos = 0;
  if (!ofox_json_next(usage, &pos, &key, &v))
    return 1;
  if (ofox_buf_addspan(said, usage.raw) != 0)
    return 0;
  said->p[n - 1] = ','; /* no brace ends and begins anew */
  said->p[n] = ' ';
  return 1;
}

void ofox_usage_keep(struct ofox_buf *said, int counts,
                     struct ofox_json usage) {
  if (usage.type != OFOX_JSON_OBJECT || (counts && add_members(said, usage)))
    return;
  ofox_buf_clear(said);
  if (ofox_buf_addspan(said, usage.raw) != 0)
    ofox_buf_clear(said);
}
