/*
** Streams without events: JSON in lines, or as the elements of one list.
** Rewrites them as an event stream, piece by piece, each text an event.
** Knows nothing of what the texts say; what is no JSON stays that.
*/
#ifndef OFOX_JSON_STREAM_H
#define OFOX_JSON_STREAM_H

#include "base/buf.h"

enum ofox_json_stream_kind {
  OFOX_JSON_STREAM_NONE, /* it is an event stream already */
  OFOX_JSON_STREAM_LINES,
  OFOX_JSON_STREAM_LIST
};

/* Zero at first, except for the kind. */
struct ofox_json_stream {
  enum ofox_json_stream_kind kind;
  int _state;
  size_t _depth; /* open brackets in the text */
  int _quoted, _escaped;
};

/* Takes bytes off '*b'; the piece of the event stream that they are. Empty:
** all have been taken. */
struct ofox_span ofox_json_stream_next(struct ofox_json_stream *t,
                                       struct ofox_span *b);
/* What ends a text that ends with its body: a line does. Else empty. */
struct ofox_span ofox_json_stream_end(struct ofox_json_stream *t);

/* Does a body begin like a list of objects, the first not far behind the
** bracket? 1, 0, or negative: more please. Takes few steps, since it is asked
** again with each piece. */
int ofox_json_stream_is_list(struct ofox_span beginning);

#endif
