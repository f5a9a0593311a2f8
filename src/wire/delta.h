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

/* What one event says. All but 'kind' is about a CHUNK, unless it says so. */
struct ofox_delta {
  enum ofox_delta_kind kind;
  int content; /* more than the opening of a stream: a reader would miss it */
  int last;    /* the stream is complete with it */
  int plain;   /* a string in 'text', and else nothing that adds up: saying
                  all but that again would say nothing */
  int again;   /* all but 'text' was said by the event before */
  /* where the answer goes on: a STRING, an ARRAY of choices, or NONE */
  struct ofox_json text;
  uint64_t begun, finished; /* choices it names; that have ended: bit i % 64 */
  struct ofox_span part;    /* ERROR: what says what went wrong */
  enum ofox_class fallback; /* ERROR: of one that names no class we know */
  /* of a plain one that is not 'again': 'text' and padding, in order */
  int n_holes;
  struct ofox_json holes[OFOX_HOLES];
};

/* Reads an event; 'type' is the name it came with, empty where it had none. */
void ofox_delta_read(enum ofox_dialect dialect, struct ofox_span type,
                     struct ofox_span data, struct ofox_delta *out);

/*
** The same for an event of the same name that may say what 'before' said, save
** for its text and padding: 'd' is what ofox_delta_read made of that, and
** plain. 0: it must be read.
*/
int ofox_delta_again(struct ofox_span before, const struct ofox_delta *d,
                     struct ofox_span data, struct ofox_delta *out);

/* 'd' is of 'from', and shall be of a copy of it at 'to'. */
void ofox_delta_move(struct ofox_delta *d, const char *from, const char *to);

/* Does JSON of that dialect, be it no event, say that it is an error? Then
** 'out' is one: see fault.h. */
int ofox_delta_is_fault(enum ofox_dialect dialect, struct ofox_span json,
                        struct ofox_delta *out);

/* Is this data the sentinel? It counts as soon as its line is complete. */
int ofox_delta_is_end(struct ofox_span type, struct ofox_span data);

#endif
