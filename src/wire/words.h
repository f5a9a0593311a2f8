/*
** Words of servers, which are spelt in more than one way.
** Knows nothing of where in a body such a word stands, or of what it means.
*/
#ifndef OFOX_WORDS_H
#define OFOX_WORDS_H

#include "base/json.h"

/* One of a table that is sorted by the bytes of its words without '_'. */
struct ofox_word {
  const char *text; /* in lower case, with '_' between its parts */
  int what;
};

/*
** Is 's' one of 'words', which blanks separate and which are written as in a
** table? Case and '_', '-', '.', ' ' in 's' make no difference.
*/
int ofox_words_has(const char *words, struct ofox_span s);
/* The same for the text of a JSON string. */
int ofox_words_has_text(const char *words, struct ofox_json v);

/* What 's' means by a table of 'n' rows, -1 if it is not there; of rows that
** differ in '_' alone the first counts. */
int ofox_words_find(const struct ofox_word *rows, size_t n,
                    struct ofox_span s);
/* The same for the text of a JSON string. */
int ofox_words_find_text(const struct ofox_word *rows, size_t n,
                         struct ofox_json v);

#endif
