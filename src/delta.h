/*
** What the words of the protocol mean: which replies and events are failures
** although they look like answers.
** Knows nothing of transfers, framing or Lua.
*/
#ifndef OFOX_DELTA_H
#define OFOX_DELTA_H

#include <stdint.h>

#include "buf.h"
#include "classes.h"
#include "json.h"

/* Whose words the events of a stream are in. */
enum ofox_dialect {
  OFOX_DIALECT_CHAT,      /* chat completions */
  OFOX_DIALECT_RESPONSES, /* the Responses protocol */
  OFOX_DIALECT_ANY        /* not known: any JSON, until the body ends */
};

enum ofox_delta_kind {
  OFOX_DELTA_SKIP,  /* says nothing: no data, a ping, JSON but no object */
  OFOX_DELTA_CHUNK, /* to be handed on */
  OFOX_DELTA_END,   /* the sentinel: the stream is complete */
  OFOX_DELTA_ERROR, /* the stream has failed: 'part' says how */
  OFOX_DELTA_BROKEN /* no JSON */
};

/* What one event says. All but 'kind' is about a CHUNK, unless it says so. */
struct ofox_delta {
  enum ofox_delta_kind kind;
  int content; /* more than the opening of a stream: a reader would miss it */
  int last;    /* the stream is complete with it */
  int plain;   /* says 'text' and nothing else that is news */
  struct ofox_json text;    /* more text of the answer: a string, or NONE */
  uint64_t begun, finished; /* choices it names; that have ended: bit i % 64 */
  struct ofox_span part;    /* ERROR: the JSON that says what went wrong */
  enum ofox_class fallback; /* ERROR: of one that names no class we know */
};

/* Reads an event; 'type' is empty where the stream named none. */
void ofox_delta_read(enum ofox_dialect dialect, struct ofox_span type,
                     struct ofox_span data, struct ofox_delta *out);

/*
** The same for an event that may say what the one before it said, save for its
** text: 'd' is what ofox_delta_read made of 'before', and plain. 0: it must be
** read.
*/
int ofox_delta_again(struct ofox_span before, const struct ofox_delta *d,
                     struct ofox_span data, struct ofox_delta *out);

/* Is this data the sentinel? It counts as soon as its line is complete. */
int ofox_delta_is_end(struct ofox_span data);

#endif
