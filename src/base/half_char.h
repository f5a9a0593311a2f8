/*
** A text that comes in pieces, any of which may end within a character: in
** its UTF-8, or between the two escapes of a surrogate pair. What continues
** is put together before anything counts as broken.
** Knows nothing of where the pieces come from.
*/
#ifndef OFOX_HALF_CHAR_H
#define OFOX_HALF_CHAR_H

#include "base/buf.h"

/* What the pieces so far have ended with. Zeroed: nothing. */
struct ofox_half_char {
  unsigned long high; /* the first half of a pair, else 0 */
  size_t n;           /* bytes of a character that lacks some */
  char bytes[4];
};

/*
** Adds bytes, one code point (a surrogate may be half of a pair) to the text
** in 'out'; what is broken becomes U+FFFD. 0, OFOX_EMEM or OFOX_ECAP.
*/
int ofox_half_char_bytes(struct ofox_half_char *h, struct ofox_buf *out,
                         struct ofox_span s);
int ofox_half_char_point(struct ofox_half_char *h, struct ofox_buf *out,
                         unsigned long cp);
/* Nothing continues it: what is half is broken. */
int ofox_half_char_end(struct ofox_half_char *h, struct ofox_buf *out);

#endif
