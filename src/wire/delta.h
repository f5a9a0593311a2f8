/*
** The meaning of the protocols: what an event of a stream contains, and
** whether it is a failure although it looks like an answer.
** Knows nothing of transfers, framing or Lua.
*/
#ifndef OFOX_DELTA_H
#define OFOX_DELTA_H

#include <stdint.h>

#include "base/json.h"
#include "wire/error_in_success.h"

/* The protocol of the events of a stream. */
enum ofox_dialect {
  OFOX_DIALECT_CHAT,      /* chat completions */
  OFOX_DIALECT_RESPONSES, /* the Responses protocol */
  OFOX_DIALECT_ANY        /* unknown: any JSON, until the body ends */
};

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

/* The data of an event. All except 'kind' is for a CHUNK, unless noted. */
struct ofox_delta {
  enum ofox_delta_kind kind;
  int content; /* more than the opening of a stream: readers need it */
  int last;    /* the stream is complete with it */
  int plain;   /* a string in 'text', and else nothing that adds up: saying
                  all but that again would say nothing */
  /* where the answer goes on: a STRING, an ARRAY of choices, or NONE */
  struct ofox_json text;
  uint64_t begun, finished; /* choices it names; that have ended: bit i % 64 */
  struct ofox_json usage;   /* the tokens used up to now; NONE: not said */
  struct ofox_span part;    /* ERROR: the description of the error */
  enum ofox_class fallback; /* ERROR: of one without a known class */
  struct ofox_holes holes;  /* of a plain one: its text and padding */
};

/* Reads an event; 'type' is its event name, empty if it had none. */
void ofox_delta_read(enum ofox_dialect dialect, struct ofox_span type,
                     struct ofox_span data, struct ofox_delta *out);

/*
** Is an event of the same name identical to 'before', except for its text,
** which is not empty, and padding? 'of' is their position in 'before', which
** is plain. 1: 'out' is their position here. 0: it must be read.
*/
int ofox_delta_again(struct ofox_span before, const struct ofox_holes *of,
                     struct ofox_span data, struct ofox_holes *out);

/* Rebases 'h' from 'from' to a copy of it at 'to'. */
void ofox_delta_move(struct ofox_holes *h, const char *from, const char *to);

/* Does JSON of that dialect, even if not an event, report an error? Then 'out'
** is one: see error_in_success.h. */
int ofox_delta_is_fault(enum ofox_dialect dialect, struct ofox_span json,
                        struct ofox_delta *out);

/* Is this data the sentinel? It counts as soon as its line is complete. */
int ofox_delta_is_end(struct ofox_span type, struct ofox_span data);

#endif
