/*
** The content codings of a body, undone piece by piece as it comes in: gzip
** (of any number of members), deflate (with zlib's frame or without), brotli,
** and several upon each other. Each piece that a server has flushed comes out
** at once.
** Knows nothing of headers or bodies, of how much is too much, or of what the
** bytes mean.
*/
#ifndef OFOX_CONTENT_CODING_H
#define OFOX_CONTENT_CODING_H

#include "base/buf.h"

#define OFOX_CODINGS_MAX 5 /* upon each other */

struct ofox_content_coding_stage;

/* Zeroed memory is a body without any. */
struct ofox_content_coding {
  const char *reason; /* static: why it is broken */
  struct ofox_content_coding_stage *_inner,
      *_outer; /* put on first, and last */
  int _stages;
  int _work; /* what may still be done for one piece */
  int error; /* 0, or negative */
};

void ofox_content_coding_free(
    struct ofox_content_coding *c); /* zeroed again; idempotent */

/*
** The value of a Content-Encoding header, "gzip, br"; of several headers each
** in turn. What is wrong with it is said when there is something to decode.
*/
void ofox_content_coding_add(struct ofox_content_coding *c,
                             struct ofox_span value);

/* Is there anything to undo? */
int ofox_content_coding_any(const struct ofox_content_coding *c);

/*
** Takes what it can use off 'in' and writes decoded bytes, 'n' of them, to
** 'out'. 1: some, or none yet after much work; call again, also when 'in' is
** empty. 0: none, and it has taken all of 'in'. OFOX_ESYNTAX, with a reason,
** or OFOX_EMEM: from then on.
*/
int ofox_content_coding_next(struct ofox_content_coding *c,
                             struct ofox_span *in, char *out, size_t cap,
                             size_t *n);

/* The body ends here: 0, or OFOX_ESYNTAX where it must not. */
int ofox_content_coding_finish(struct ofox_content_coding *c);

#endif
