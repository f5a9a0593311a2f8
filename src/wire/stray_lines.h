/*
** What a server writes into an event stream beside its events: a field
** "error", JSON as it is, a page. Lines come in; whether they say that the
** stream has failed goes out. All else is noise.
** Knows nothing of events, of what was said before, or of where lines end.
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
  enum ofox_dialect dialect;       /* of the stream */
  enum ofox_stray_lines_kind kind; /* of what is being gathered */
  struct ofox_buf _text;           /* it */
  size_t _depth;                   /* brackets that are open in it */
  int _quoted, _escaped;
};

void ofox_stray_lines_init(struct ofox_stray_lines *t,
                           enum ofox_dialect dialect, size_t cap);
void ofox_stray_lines_free(struct ofox_stray_lines *t);
void ofox_stray_lines_clear(struct ofox_stray_lines *t);

/*
** The next line. 1: the lines say that the stream has failed, 'out' is the
** ERROR, until the next call of any of these; 0: not so; or OFOX_EMEM.
*/
int ofox_stray_lines_line(struct ofox_stray_lines *t, struct ofox_span line,
                          struct ofox_delta *out);
/* An event follows them, or nothing does. The same results. */
int ofox_stray_lines_end(struct ofox_stray_lines *t, struct ofox_delta *out);

#endif
