/*
** Base64 (RFC 4648, section 4). Knows nothing of the contents.
*/
#ifndef OFOX_BASE64_H
#define OFOX_BASE64_H

#include "base/buf.h"

extern const char ofox_base64_letters[65]; /* the alphabet, in order */

int ofox_base64_encode(struct ofox_buf *out, struct ofox_span in);

/*
** Padding may be absent. OFOX_ESYNTAX for any other character, wrong padding
** or an impossible length; 'out' is then unchanged.
*/
int ofox_base64_decode(struct ofox_buf *out, struct ofox_span in);

/*
** The same in two steps, for callers with memory of the right size. First:
** strips the padding of 'in'; returns the decoded length. Second: decodes any
** multiple of 4 letters, or the last ones.
*/
int ofox_base64_measure(struct ofox_span *in, size_t *bytes);
int ofox_base64_bytes(unsigned char *out, struct ofox_span in);

/*
** The letters of 's' when it starts 'before' bytes after a multiple of three:
** those that do not depend on its neighbours. Writes 'max' at most. Returns
** how many.
*/
size_t ofox_base64_within(struct ofox_span s, size_t before, char *out,
                          size_t max);

/* Turns letters into those that are safe in URLs. Any difference? */
int ofox_base64_make_url_safe(char *text, size_t n);

#endif
