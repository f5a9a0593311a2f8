/*
** A JSON value in place in a text.
** Knows nothing of how it is found there.
*/
#ifndef OFOX_JSON_VALUE_H
#define OFOX_JSON_VALUE_H

#include "base/buf.h"

#define OFOX_JSON_DEPTH 1000 /* lua-cjson's limit too */

enum ofox_json_type {
  OFOX_JSON_NONE, /* missing, or not JSON */
  OFOX_JSON_NULL,
  OFOX_JSON_FALSE,
  OFOX_JSON_TRUE,
  OFOX_JSON_NUMBER,
  OFOX_JSON_STRING,
  OFOX_JSON_ARRAY,
  OFOX_JSON_OBJECT
};

/*
** A value and the text from its first byte: to its end if the text is
** complete, to the end of the text if it was truncated.
*/
struct ofox_json {
  enum ofox_json_type type;
  struct ofox_span raw;
};

#endif
