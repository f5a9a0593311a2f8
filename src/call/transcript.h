/*
** What a stream has sent up to now, for callers that want all of it: the text
** as one string, and the events that contain more than text.
** Knows nothing of framing, of who has read what, or of how events add up.
*/
#ifndef OFOX_TRANSCRIPT_H
#define OFOX_TRANSCRIPT_H

#include "wire/content_text.h"
#include "wire/delta.h"

struct ofox_transcript {
  struct ofox_content_text prose;
  size_t plain;            /* how many plain events were kept */
  struct ofox_buf _events; /* each a struct ofox_passage and its bytes */
  /* of the event kept last, if it was plain: positions in '_events' */
  struct ofox_span _name, _data;
  struct ofox_holes _holes;
};

/* A kept event, and the position of its own text in the whole. */
struct ofox_passage {
  size_t from, to;
  struct ofox_span name, data;
};

void ofox_transcript_init(struct ofox_transcript *t, size_t cap);
void ofox_transcript_free(struct ofox_transcript *t);
void ofox_transcript_clear(struct ofox_transcript *t);

/*
** Is an event identical to the one kept last, except for its text? Then 'h' is
** where it differs, and only its text must be added.
*/
int ofox_transcript_knows(const struct ofox_transcript *t,
                          struct ofox_span name, struct ofox_span data,
                          struct ofox_holes *h);
/* The event kept last: its position, and where others differ from it. */
size_t ofox_transcript_model(const struct ofox_transcript *t,
                             const struct ofox_holes **h);
/* The name and data at a position. */
const char *ofox_transcript_at(const struct ofox_transcript *t, size_t where);
/* 0, OFOX_EMEM or OFOX_ECAP. */
int ofox_transcript_again(struct ofox_transcript *t,
                          const struct ofox_holes *h);

/* Adds a CHUNK. 0, OFOX_EMEM or OFOX_ECAP. */
int ofox_transcript_add(struct ofox_transcript *t, struct ofox_span name,
                        struct ofox_span data, const struct ofox_delta *d);
/* Adds a whole answer, whatever its size. 0 or OFOX_EMEM. */
int ofox_transcript_whole(struct ofox_transcript *t,
                          const struct ofox_dialect *dialect,
                          struct ofox_span body);

/* The text up to now. */
/* Keeps data of which the text is known, as an event without a name. */
int ofox_transcript_keep(struct ofox_transcript *t, struct ofox_span data);

struct ofox_span ofox_transcript_text(const struct ofox_transcript *t);

/* Walks the kept events: start with '*pos' = 0. 1, or 0: no more. */
int ofox_transcript_next(const struct ofox_transcript *t, size_t *pos,
                         struct ofox_passage *out);

/* Makes 'to' a transcript to walk in the memory 'room', of so many bytes: it
** owns nothing. */
size_t ofox_transcript_size(const struct ofox_transcript *t);
void ofox_transcript_copy(const struct ofox_transcript *t, char *room,
                          struct ofox_transcript *to);

#endif
