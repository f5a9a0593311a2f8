/*
** A dialect: the protocol of the events of a stream, and what an event of any
** dialect can say. Each has a file of its own, which is all that knows its
** members; list.h lists them.
** Knows nothing of how an event is read.
*/
#ifndef OFOX_DIALECT_H
#define OFOX_DIALECT_H

#include <stdint.h>

#include "base/json.h"
#include "wire/classes.h"
#include "wire/content_text.h"

enum ofox_delta_kind {
  OFOX_DELTA_SKIP,  /* ignored: no data, a ping, JSON but not an object */
  OFOX_DELTA_CHUNK, /* to be passed on */
  OFOX_DELTA_END,   /* the sentinel: nothing follows */
  OFOX_DELTA_ERROR, /* the stream has failed: 'part' describes it */
  OFOX_DELTA_BROKEN /* not JSON */
};

#define OFOX_HOLES 3

/* Where otherwise identical events may differ, in order: a string or a number
** each. */
struct ofox_holes {
  int n;
  int text; /* which one is the text; -1: none */
  struct ofox_json at[OFOX_HOLES];
};

/* Adds the text of a value of the dialect. 0, OFOX_EMEM or OFOX_ECAP. */
typedef int ofox_dialect_words(struct ofox_content_text *w,
                               struct ofox_json of);

/* The data of an event. All except 'kind' is for a CHUNK, unless noted. */
struct ofox_delta {
  enum ofox_delta_kind kind;
  int content; /* more than the opening of a stream: readers need it */
  int last;    /* the stream is complete with it */
  int plain;   /* a string in 'text', and else nothing that adds up: saying
                  all but that again would say nothing */
  /* where the answer goes on: a STRING, what 'words' reads, or NONE */
  struct ofox_json text;
  ofox_dialect_words *words;
  uint64_t begun, finished; /* choices it names; that have ended: bit i % 64 */
  struct ofox_json usage;   /* the tokens used up to now; NONE: not said */
  struct ofox_span part;    /* ERROR: the description of the error */
  enum ofox_class fallback; /* ERROR: of one without a known class */
  struct ofox_holes holes;  /* of a plain one: its text and padding */
};

struct ofox_reading; /* see reading.h */

struct ofox_dialect {
  const char *name; /* as the binding calls it */
  const char *due;  /* the member that answers have; NULL: any JSON may come */
  const char *refusal; /* what a refused request has instead; or NULL */
  const char *usage;   /* the member of an answer that counts its tokens */
  /* Reads the object that comes next: 1, 0 or OFOX_ESYNTAX. */
  int (*read)(struct ofox_reading *r);
  /* May the event be an error? What is obviously none is not read again to
  see. 'type' is the event's own here and below: its member, else its name. */
  int (*is_suspect)(const struct ofox_reading *r, struct ofox_span type);
  /* Fills r->out, which is a chunk and no error. */
  void (*judge)(struct ofox_reading *r, struct ofox_span type);
  ofox_dialect_words *words; /* of an event, where it is no string */
  ofox_dialect_words *whole; /* of an answer that was sent whole */
  int typed;  /* the name of an event stands for a type that it lacks */
  int strict; /* the sentinel ends no answer that has not ended by itself */
  int counts; /* a usage has what has changed since the one before */
  int lists;  /* its events may arrive as the elements of a list */
  int runs;   /* numbers that differ in like events count: the last ones say */
};

#endif
