/*
** Base64 (RFC 4648, section 4). Knows nothing of what is inside.
*/
#ifndef OFOX_BASE64_H
#define OFOX_BASE64_H

#include "base/buf.h"

extern const char ofox_base64_letters[65]; /* the alphabet, in order */

int ofox_base64_encode(struct ofox_buf *out, struct ofox_span in);

/*
** Padding may be absent. OFOX_ESYNTAX for any other character, wrong padding
** or a length that cannot be; 'out' then stays as it was.
*/
int ofox_base64_decode(struct ofox_buf *out, struct ofox_span in);

/*
** The same in two steps, for who has memory of the right size already.
** First: takes the padding off 'in'; how many bytes it stands for.
** Second: any multiple of 4 letters, or the last ones, to bytes.
*/
int ofox_base64_measure(struct ofox_span *in, size_t *bytes);
int ofox_base64_bytes(unsigned char *out, struct ofox_span in);

/*
** The letters that 's' gives when it stands 'before' bytes behind a multiple
** of three: those that its neighbours have no part in. Writes 'max' at most.
** Returns how many.
*/
size_t ofox_base64_within(struct ofox_span s, size_t before, char *out,
                          size_t max);

/* Turns letters into those that are safe in URLs. Any difference? */
int ofox_base64_make_url_safe(char *text, size_t n);

#endif
