/*
** What a server writes into an event stream outside of its events: a field
** "error", plain JSON, a page. Takes lines, and decides whether they report a
** failure of the stream. Everything else is noise.
** Knows nothing of events, of earlier data, or of where lines end.
*/
#ifndef OFOX_STRAY_LINES_H
#define OFOX_STRAY_LINES_H

#include "wire/delta.h"

enum ofox_stray_lines_kind {
  OFOX_STRAY_NONE,
  OFOX_STRAY_JSON,
  OFOX_STRAY_FIELD, /* JSON, too: the value of "error" */
  OFOX_STRAY_PAGE
};

struct ofox_stray_lines {
  const struct ofox_dialect *dialect; /* of the stream */
  enum ofox_stray_lines_kind kind;    /* of what is being collected */
  struct ofox_buf _text;              /* it */
  size_t _depth;                      /* open brackets in it */
  int _quoted, _escaped;
};

void ofox_stray_lines_init(struct ofox_stray_lines *t,
                           const struct ofox_dialect *dialect, size_t cap);
void ofox_stray_lines_free(struct ofox_stray_lines *t);
void ofox_stray_lines_clear(struct ofox_stray_lines *t);

/*
** The next line. 1: the lines report that the stream has failed, 'out' is the
** ERROR, until the next call of any of these; 0: they do not; or OFOX_EMEM.
*/
int ofox_stray_lines_line(struct ofox_stray_lines *t, struct ofox_span line,
                          struct ofox_delta *out);
/* An event or nothing follows the lines. The same results. */
int ofox_stray_lines_end(struct ofox_stray_lines *t, struct ofox_delta *out);

#endif
