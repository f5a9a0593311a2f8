/*
** The words of servers: which class a type, a code or a number
** names, and members that are spelt in more than one way.
** Knows nothing of where in a body such a word stands.
*/
#ifndef OFOX_WORDS_H
#define OFOX_WORDS_H

#include "base/json.h"
#include "wire/classes.h"

/* So many members of an object are asked for their names: few bytes on the
** wire can be millions of members. */
#define OFOX_MEMBERS 1000

/* Whose numbers a code is one of; see numbers.h. */
enum ofox_numbering {
  OFOX_NUMBERING_NONE,
  OFOX_NUMBERING_MINIMAX,
  OFOX_NUMBERING_BAIDU
};

/*
** Is 's' one of 'words', which blanks separate and which are in lower case?
** Case and '_', '-', '.', ' ' in 's' make no difference.
*/
int ofox_words_has(const char *words, struct ofox_span s);
/* The same for the text of a JSON string. */
int ofox_words_has_text(const char *words, struct ofox_json v);

/* The class that a type or a code names, or NCLASSES. */
enum ofox_class ofox_words_class(struct ofox_span word);
enum ofox_class ofox_words_number(enum ofox_numbering whose, double n);

/* The first member of an object that has one of 'names'; NONE if none has. */
struct ofox_json ofox_words_get(struct ofox_json v, const char *names);

#endif
