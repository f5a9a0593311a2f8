/*
** What a stream has said so far, for those who want the whole of it: the text
** as one, and beside it the events that said more than text.
** Knows nothing of framing, of who has read what, or of how events add up.
*/
#ifndef OFOX_TRANSCRIPT_H
#define OFOX_TRANSCRIPT_H

#include "delta.h"

struct ofox_transcript {
  struct ofox_buf text;    /* valid UTF-8 */
  struct ofox_buf _events; /* each a struct ofox_passage and its bytes */
};

/* A kept event, and where its own text stands in the whole. */
struct ofox_passage {
  size_t from, to;
  struct ofox_span data;
};

void ofox_transcript_init(struct ofox_transcript *t, size_t cap);
void ofox_transcript_free(struct ofox_transcript *t);
void ofox_transcript_clear(struct ofox_transcript *t);

/* Adds a CHUNK. 0, OFOX_EMEM or OFOX_ECAP. */
int ofox_transcript_add(struct ofox_transcript *t, struct ofox_span data,
                        const struct ofox_delta *d);

/* Walks the kept events: start with '*pos' = 0. 1, or 0: no more. */
int ofox_transcript_next(const struct ofox_transcript *t, size_t *pos,
                         struct ofox_passage *out);

/* Makes 'to' a transcript to walk that stands in 'room', which has so many
** bytes: nothing of it is to be freed. */
size_t ofox_transcript_size(const struct ofox_transcript *t);
void ofox_transcript_copy(const struct ofox_transcript *t, char *room,
                          struct ofox_transcript *to);

#endif
