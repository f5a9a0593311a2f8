/*
** The escapes in strings of JSON (RFC 8259, section 7).
** Knows nothing of strings.
*/
#ifndef OFOX_JSON_ESCAPE_H
#define OFOX_JSON_ESCAPE_H

#include "base/buf.h"

/*
** The escape whose backslash 's' starts with, in a surrogate pair both halves.
** 1: its length and code point (a lone surrogate as it is). 0: the text ends
** in it. OFOX_ESYNTAX: '*n' is the offset of the offending byte.
*/
int ofox_json_escape(struct ofox_span s, size_t *n, unsigned long *cp);

#endif
