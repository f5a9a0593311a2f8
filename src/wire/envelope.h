/*
** Finds the error in the body of a failure: servers wrap it in members of
** several names, in lists, and in strings that are JSON themselves.
** Knows nothing of classes, or of the meaning of the error.
*/
#ifndef OFOX_ENVELOPE_H
#define OFOX_ENVELOPE_H

#include "base/json.h"
#include "wire/class_words.h"
#include "wire/members.h"

struct ofox_envelope {
  struct ofox_span body;  /* set by the caller, without blanks around it */
  struct ofox_json root;  /* NONE if this is not JSON */
  struct ofox_json top;   /* the root, or the first of it if it is a list */
  struct ofox_json error; /* has code, type and param */
  struct ofox_members top_has;
  const struct ofox_members *error_has;
  enum ofox_numbering numbering; /* of the code */
  struct ofox_buf _opened;       /* JSON that was in a string */
  struct ofox_members _has;      /* of an error below the top */
  int _rc;
};

void ofox_envelope_init(struct ofox_envelope *e);
void ofox_envelope_free(struct ofox_envelope *e); /* idempotent */

/* Finds everything except the body, which becomes that of a string if it is
** one. Valid until it is freed. 0 or negative: memory is short. */
int ofox_envelope_open(struct ofox_envelope *e);

#endif
