#include "wire/words.h"

#include <string.h>

#define LONGEST 40 /* bytes of a word that is in any table or list */

/* Writes 's' without insignificant differences: its length, 0 if it cannot be
** a word. */
static size_t reduce(struct ofox_span s, char *out) {
  size_t i, n = 0;
  for (i = 0; i < s.n; i++) {
    char c = s.p[i];
    if (c == '_' || c == '-' || c == '.' || c == ' ')
      continue;
    if (c == '\0' || n == LONGEST)
      return 0;
    out[n++] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  }
  return n;
}

/* Is the first word of a list the reduced one? Goes past it. */
static int take_word(const char **words, const char *word, size_t n) {
  const char *p = *words;
  size_t i = 0;
  for (; i < n && (*p == '_' || *p == word[i]); p++)
    i += *p != '_';
  *words = p + strcspn(p, " ");
  return i == n && *words == p;
}

int ofox_words_has(const char *words, struct ofox_span s) {
  char word[LONGEST];
  size_t n = reduce(s, word);
  while (n > 0 && *words != '\0') {
    if (take_word(&words, word, n))
      return 1;
    words += *words == ' ';
  }
  return 0;
}

/* A string that is spelt in escapes, which is rare. */
static int has_spelt(const char *words, struct ofox_json v) {
  char text[LONGEST + 1];
  size_t n;
  for (; *words != '\0'; words += n + (words[n] == ' ')) {
    n = strcspn(words, " ");
    memcpy(text, words, n);
    text[n] = '\0';
    if (ofox_json_is(v, text))
      return 1;
  }
  return 0;
}

/* 1: the bytes between the quotes are the text. 0: they are to be read. -1: it
** is no whole string. */
static int text_of(struct ofox_json v, struct ofox_span *s) {
  *s = v.raw;
  if (v.type != OFOX_JSON_STRING || s->n < 2 || s->p[s->n - 1] != '"')
    return -1;
  if (memchr(s->p, '\\', s->n) != NULL)
    return 0;
  s->p++;
  s->n -= 2;
  *s = ofox_span_trim(*s);
  return 1;
}

int ofox_words_has_text(const char *words, struct ofox_json v) {
  struct ofox_span s;
  int rc = text_of(v, &s);
  return rc > 0 ? ofox_words_has(words, s) : rc == 0 && has_spelt(words, v);
}

/* As memcmp has it; of 'text' the '_' do not count. */
static int compare(const char *word, size_t n, const char *text) {
  size_t i;
  for (i = 0; i < n; text++) {
    if (*text == '_')
      continue;
    if (word[i] != *text)
      return (unsigned char)word[i] < (unsigned char)*text ? -1 : 1;
    i++;
  }
  return *text == '\0' ? 0 : -1;
}

int ofox_words_find(const struct ofox_word *rows, size_t n,
                    struct ofox_span s) {
  char word[LONGEST];
  size_t length = reduce(s, word), from = 0, to = length > 0 ? n : 0, half;
  int order, what = -1;
  while (from < to) {
    half = (from + to) / 2;
    order = compare(word, length, rows[half].text);
    if (order == 0)
      what = rows[half].what;
    if (order > 0)
      from = half + 1;
    else
      to = half;
  }
  return what;
}

int ofox_words_find_text(const struct ofox_word *rows, size_t n,
                         struct ofox_json v) {
  struct ofox_span s;
  size_t i;
  int rc = text_of(v, &s);
  if (rc > 0)
    return ofox_words_find(rows, n, s);
  for (i = 0; rc == 0 && i < n; i++) {
    if (ofox_json_is(v, rows[i].text))
      return rows[i].what;
  }
  return -1;
}
