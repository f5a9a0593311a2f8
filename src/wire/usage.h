/*
** The tokens that an answer used, whatever its protocol calls them.
** Knows nothing of where a usage object stands, or of what is done with it.
*/
#ifndef OFOX_USAGE_H
#define OFOX_USAGE_H

#include "base/buf.h"
#include "base/json_value.h"

/* NaN: it is not said. Cached ones are a part of the input, those of
** reasoning of the output. */
struct ofox_usage {
  double input, output, cached, reasoning;
};

/* Members of a usage object, or of an object in it: id, name, name there. What
** most answers have is found first. */
#define OFOX_USAGE_WORDS(X)                                                   \
  X(PROMPT, "prompt_tokens", NULL)                                            \
  X(COMPLETION, "completion_tokens", NULL)                                    \
  X(PROMPT_CACHED, "prompt_tokens_details", "cached_tokens")                  \
  X(COMPLETION_THOUGHT, "completion_tokens_details", "reasoning_tokens")      \
  X(INPUT, "input_tokens", NULL)                                              \
  X(PROMPT_COUNT, "promptTokenCount", NULL)                                   \
  X(OUTPUT, "output_tokens", NULL)                                            \
  X(CANDIDATES, "candidatesTokenCount", NULL)                                 \
  X(INPUT_CACHED, "input_tokens_details", "cached_tokens")                    \
  X(CACHE_READ, "cache_read_input_tokens", NULL)                              \
  X(CACHE_CREATED, "cache_creation_input_tokens", NULL)                       \
  X(CONTENT_CACHED, "cachedContentTokenCount", NULL)                          \
  X(CACHE_HIT, "prompt_cache_hit_tokens", NULL)                               \
  X(OUTPUT_THOUGHT, "output_tokens_details", "reasoning_tokens")              \
  X(THOUGHTS, "thoughtsTokenCount", NULL)                                     \
  X(TOOL_USE, "toolUsePromptTokenCount", NULL)

enum ofox_usage_word {
#define X(id, name, part) OFOX_USAGE_##id,
  OFOX_USAGE_WORDS(X)
#undef X
      OFOX_USAGE_NWORDS
};

struct ofox_usage_name {
  const char *name, *part; /* part NULL: the member itself is the number */
};
extern const struct ofox_usage_name ofox_usage_names[OFOX_USAGE_NWORDS];

/* The word of a member, whose name has no escapes, or OFOX_USAGE_NWORDS; and
** does the member of an object in it, of that word, have the number? */
enum ofox_usage_word ofox_usage_word(struct ofox_span name);
int ofox_usage_is_part(enum ofox_usage_word w, struct ofox_span name);

/* What a usage object says; NaN: not. */
struct ofox_usage_said {
  double at[OFOX_USAGE_NWORDS];
};
void ofox_usage_clear(struct ofox_usage_said *said);
/* The number of a word, where a later one counts. */
void ofox_usage_say(struct ofox_usage_said *said, enum ofox_usage_word w,
                    double n);

/*
** Keeps a usage of a stream, if it is an object, as JSON: each is the sum up
** to there, or, if it 'counts', has what has changed. It is not known where
** there is no room or memory for it.
*/
void ofox_usage_keep(struct ofox_buf *said, int counts,
                     struct ofox_json usage);

/* What it amounts to. 0: to nothing. */
int ofox_usage_sum(const struct ofox_usage_said *said, struct ofox_usage *out);

/* The same of JSON text. */
int ofox_usage_read(struct ofox_span json, struct ofox_usage *out);

#endif
