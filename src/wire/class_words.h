/*
** Servers' names for the classes: words used as type or as code, and numeric
** codes of vendors.
** Knows nothing of where in a body they are.
*/
#ifndef OFOX_CLASS_WORDS_H
#define OFOX_CLASS_WORDS_H

#include "base/buf.h"
#include "wire/classes.h"

/* Whose numbers a code is one of; see vendor_codes.h. */
enum ofox_numbering {
  OFOX_NUMBERING_NONE,
  OFOX_NUMBERING_MINIMAX,
  OFOX_NUMBERING_BAIDU
};

/* The class that a type or a code names, or NCLASSES. */
enum ofox_class ofox_class_words_find(struct ofox_span word);
enum ofox_class ofox_class_words_number(enum ofox_numbering whose, double n);

#endif
