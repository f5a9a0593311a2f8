/*
** Strings as JSON. Knows nothing of values.
*/
#ifndef OFOX_JSON_PUT_H
#define OFOX_JSON_PUT_H

#include "base/buf.h"

/* Adds 's' in quotes, and leaves room for what comes behind it. 0; OFOX_EMEM;
** or OFOX_ESYNTAX: it is no valid UTF-8. */
int ofox_json_put_string(struct ofox_buf *out, struct ofox_span s);

#endif
