#include "wire/words.h"

#include <string.h>

#include "wire/class_words.h"
#include "wire/vendor_codes.h"

static size_t skip_separators(const char *p, size_t i, size_t n) {
  while (i < n && memchr("_-. ", p[i], 4) != NULL)
    i++;
  return i;
}

/* Is 's' the word of 'n' letters at 'word'? */
static int is_word(struct ofox_span s, const char *word, size_t n) {
  size_t i, j;
  for (i = j = 0;; i++, j++) {
    i = skip_separators(s.p, i, s.n);
    j = skip_separators(word, j, n);
    if (i == s.n || j == n ||
        ofox_tolower((unsigned char)s.p[i]) != (unsigned char)word[j])
      break;
  }
  return i == s.n && j == n;
}

/* Takes the next word off 'words': its length, 0 if there is none. */
static size_t take_word(const char **words, const char **word) {
  size_t n;
  *word = *words + strspn(*words, " ");
  n = strcspn(*word, " ");
  *words = *word + n;
  return n;
}

int ofox_words_has(const char *words, struct ofox_span s) {
  const char *word;
  size_t n;
  while ((n = take_word(&words, &word)) > 0) {
    if (is_word(s, word, n))
      return 1;
  }
  return 0;
}

/* A string that is spelt in escapes, which is rare. */
static int has_spelt(const char *words, struct ofox_json v) {
  char text[64];
  const char *word;
  size_t n;
  while ((n = take_word(&words, &word)) > 0) {
    if (n >= sizeof(text))
      continue;
    memcpy(text, word, n);
    text[n] = '\0';
    if (ofox_json_is(v, text))
      return 1;
  }
  return 0;
}

int ofox_words_has_text(const char *words, struct ofox_json v) {
  struct ofox_span s = v.raw;
  if (v.type != OFOX_JSON_STRING || s.n < 2 || s.p[s.n - 1] != '"')
    return 0;
  if (memchr(s.p, '\\', s.n) != NULL)
    return has_spelt(words, v);
  s.p++;
  s.n -= 2;
  return ofox_words_has(words, ofox_span_trim(s));
}

enum ofox_class ofox_words_class(struct ofox_span word) {
  static const struct {
    enum ofox_class cls;
    const char *words;
  } rows[] = {
#define X(id, name, type, retryable) {OFOX_CLASS_##id, type},
      OFOX_CLASSES(X)
#undef X
#define X(id, words) {OFOX_CLASS_##id, words},
          OFOX_ALIASES(X)
#undef X
  };
  size_t i;
  for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (ofox_words_has(rows[i].words, word))
      return rows[i].cls;
  }
  return OFOX_NCLASSES;
}

enum ofox_class ofox_words_number(enum ofox_numbering whose, double n) {
  static const struct {
    enum ofox_numbering whose;
    enum ofox_class cls;
    int n;
  } rows[] = {
#define X(whose, number, id) {OFOX_NUMBERING_##whose, OFOX_CLASS_##id, number},
      OFOX_NUMBERS(X)
#undef X
  };
  size_t i;
  for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (rows[i].whose == whose && (double)rows[i].n == n)
      return rows[i].cls;
  }
  return OFOX_NCLASSES;
}

struct ofox_json ofox_words_get(struct ofox_json v, const char *names) {
  struct ofox_json key, child;
  size_t pos = 0, n = 0;
  if (v.type != OFOX_JSON_OBJECT)
    v.type = OFOX_JSON_NONE;
  while (n++ < OFOX_MEMBERS && ofox_json_next(v, &pos, &key, &child)) {
    if (ofox_words_has_text(names, key))
      return child;
  }
  child.type = OFOX_JSON_NONE;
  return child;
}
