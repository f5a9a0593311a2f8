/*
** Words of servers, which have several spellings.
** Knows nothing of where in a body such a word is, or of its meaning.
*/
#ifndef OFOX_WORDS_H
#define OFOX_WORDS_H

#include "base/json.h"

/* A row of a table that is sorted by the bytes of its words without '_'. */
struct ofox_word {
  const char *text; /* in lower case, with '_' between its parts */
  int what;
};

/*
** Is 's' one of 'words', which are separated by blanks and spelt as in a
** table? Case and '_', '-', '.', ' ' in 's' make no difference.
*/
int ofox_words_has(const char *words, struct ofox_span s);
/* The same for the text of a JSON string. */
int ofox_words_has_text(const char *words, struct ofox_json v);

/* The meaning of 's' in a table of 'n' rows, -1 if it is not there; among rows
** that differ only in '_' the first counts. */
int ofox_words_find(const struct ofox_word *rows, size_t n,
                    struct ofox_span s);
/* The same for the text of a JSON string. */
int ofox_words_find_text(const struct ofox_word *rows, size_t n,
                         struct ofox_json v);

#endif
