/*
** What a transport has told a call about its attempts, and when, for callers
** that keep what servers say.
** Knows nothing of what it means.
*/
#ifndef OFOX_TAPE_H
#define OFOX_TAPE_H

#include "base/buf.h"
#include "wire/outcomes.h"

enum ofox_moment_kind {
  OFOX_MOMENT_BEGIN,
  OFOX_MOMENT_CONNECTED, /* 'flag': the connection was used before */
  OFOX_MOMENT_HEAD,      /* 'text': a header line */
  OFOX_MOMENT_BODY,      /* 'text': a piece of it */
  OFOX_MOMENT_END        /* 'flag': a byte was sent; 'text': the detail */
};

struct ofox_moment {
  enum ofox_moment_kind kind;
  int flag;
  enum ofox_outcome outcome; /* of an END */
  double at;
  struct ofox_span text;
};

struct ofox_tape {
  struct ofox_buf _moments; /* each an ofox_moment and its text */
  int no_memory;            /* something is missing */
};

void ofox_tape_init(struct ofox_tape *t);
void ofox_tape_free(struct ofox_tape *t);
void ofox_tape_clear(struct ofox_tape *t);

/* Keeps a moment; once something is missing, none is added. */
void ofox_tape_keep(struct ofox_tape *t, enum ofox_moment_kind kind,
                    enum ofox_outcome outcome, int flag, double at,
                    struct ofox_span text);

/* The same; 't' may be NULL, as it is for nearly all calls. */
static inline void ofox_tape_note(struct ofox_tape *t,
                                  enum ofox_moment_kind kind, int flag,
                                  double at, struct ofox_span text) {
  if (t != NULL)
    ofox_tape_keep(t, kind, OFOX_OUTCOME_ANSWERED, flag, at, text);
}

/* Walks the moments: start with '*pos' = 0. 1, or 0: no more. */
int ofox_tape_next(const struct ofox_tape *t, size_t *pos,
                   struct ofox_moment *out);

#endif
