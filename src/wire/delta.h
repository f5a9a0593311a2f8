/*
** What the words of the protocol mean: what an event of a stream says, and
** whether that is a failure although it looks like an answer.
** Knows nothing of transfers, framing or Lua.
*/
#ifndef OFOX_DELTA_H
#define OFOX_DELTA_H

#include <stdint.h>

#include "base/json.h"
#include "wire/error_in_success.h"

/* Whose words the events of a stream are in. */
enum ofox_dialect {
  OFOX_DIALECT_CHAT,      /* chat completions */
  OFOX_DIALECT_RESPONSES, /* the Responses protocol */
  OFOX_DIALECT_ANY        /* not known: any JSON, until the body ends */
};

enum ofox_delta_kind {
  OFOX_DELTA_SKIP,  /* says nothing: no data, a ping, JSON but no object */
  OFOX_DELTA_CHUNK, /* to be handed on */
  OFOX_DELTA_END,   /* the sentinel: nothing comes any more */
  OFOX_DELTA_ERROR, /* the stream has failed: 'part' says how */
  OFOX_DELTA_BROKEN /* no JSON */
};

#define OFOX_HOLES 3

/* Where events that say the same may differ, in order: a string or a number
** each. */
struct ofox_holes {
  int n;
  int text; /* which one is the text; -1: none */
  struct ofox_json at[OFOX_HOLES];
};

/* What one event says. All but 'kind' is about a CHUNK, unless it says so. */
struct ofox_delta {
  enum ofox_delta_kind kind;
  int content; /* more than the opening of a stream: a reader would miss it */
  int last;    /* the stream is complete with it */
  int plain;   /* a string in 'text', and else nothing that adds up: saying
                  all but that again would say nothing */
  /* where the answer goes on: a STRING, an ARRAY of choices, or NONE */
  struct ofox_json text;
  uint64_t begun, finished; /* choices it names; that have ended: bit i % 64 */
  struct ofox_span part;    /* ERROR: what says what went wrong */
  enum ofox_class fallback; /* ERROR: of one that names no class we know */
  struct ofox_holes holes;  /* of a plain one: its text and padding */
};

/* Reads an event; 'type' is the name it came with, empty where it had none. */
void ofox_delta_read(enum ofox_dialect dialect, struct ofox_span type,
                     struct ofox_span data, struct ofox_delta *out);

/*
** Does an event of the same name say what 'before' said, save for its text,
** which is not empty, and padding? 'of' is where they are in that, which is
** plain. 1: 'out' is where they are here. 0: it must be read.
*/
int ofox_delta_again(struct ofox_span before, const struct ofox_holes *of,
                     struct ofox_span data, struct ofox_holes *out);

/* 'h' is of 'from', and shall be of a copy of it at 'to'. */
void ofox_delta_move(struct ofox_holes *h, const char *from, const char *to);

/* Does JSON of that dialect, be it no event, say that it is an error? Then
** 'out' is one: see fault.h. */
int ofox_delta_is_fault(enum ofox_dialect dialect, struct ofox_span json,
                        struct ofox_delta *out);

/* Is this data the sentinel? It counts as soon as its line is complete. */
int ofox_delta_is_end(struct ofox_span type, struct ofox_span data);

#endif
