/*
** The content codings of a body, decoded piece by piece as it arrives: gzip
** (of any number of members), deflate (with or without zlib's frame), brotli,
** and several nested. Each piece that a server has flushed is output
** immediately.
** Knows nothing of headers or bodies, of size limits, or of what the bytes
** mean.
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
** in order. An invalid one is reported when there is something to decode.
*/
void ofox_content_coding_add(struct ofox_content_coding *c,
                             struct ofox_span value);

/* Is there anything to decode? */
int ofox_content_coding_any(const struct ofox_content_coding *c);

/*
** Consumes what it can of 'in' and writes decoded bytes, 'n' of them, to
** 'out'. 1: some, or none yet after much work; call again, even if 'in' is
** empty. 0: none, and it has consumed all of 'in'. OFOX_ESYNTAX, with a
** reason, or OFOX_EMEM: from then on.
*/
int ofox_content_coding_next(struct ofox_content_coding *c,
                             struct ofox_span *in, char *out, size_t cap,
                             size_t *n);

/* The body ends here: 0, or OFOX_ESYNTAX where it must not. */
int ofox_content_coding_finish(struct ofox_content_coding *c);

#endif
