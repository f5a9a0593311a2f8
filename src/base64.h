/*
** Base64 (RFC 4648, section 4). Knows nothing of what is inside.
*/
#ifndef OFOX_BASE64_H
#define OFOX_BASE64_H

#include "buf.h"

int ofox_base64_encode(struct ofox_buf *out, struct ofox_span in);

/* Padding may be absent. OFOX_ESYNTAX for any other character. */
int ofox_base64_decode(struct ofox_buf *out, struct ofox_span in);

#endif
