/*
** The dialects that the binding knows by name: a line for each. Whatever else
** asks a dialect something asks its row.
*/
#ifndef OFOX_DIALECTS_LIST_H
#define OFOX_DIALECTS_LIST_H

#include "wire/dialects/dialect.h"

#define OFOX_DIALECTS(X)                                                      \
  X(chat)                                                                     \
  X(responses)                                                                \
  X(messages)                                                                 \
  X(gemini)                                                                   \
  X(any)

#define X(name) extern const struct ofox_dialect ofox_dialect_##name;
OFOX_DIALECTS(X)
#undef X

/* The dialect that 'due' is NULL of, for streams of anything. */
#define OFOX_DIALECT_ANY (&ofox_dialect_any)

/* Terminated by NULL. */
extern const struct ofox_dialect *const ofox_dialects[];

/* Of a member of an answer: the place, from 1 on, of the first dialect whose
** usage has that name; of two in an answer the lesser counts. 0: no usage. */
int ofox_usage_rank(struct ofox_span name);

#endif
