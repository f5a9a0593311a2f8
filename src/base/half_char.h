/*
** Text that arrives in pieces, any of which may end within a character: in its
** UTF-8, or between the two escapes of a surrogate pair. Continued characters
** are joined before anything counts as invalid.
** Knows nothing of where the pieces come from.
*/
#ifndef OFOX_HALF_CHAR_H
#define OFOX_HALF_CHAR_H

#include "base/buf.h"

/* The incomplete end of the previous piece. Zeroed: nothing. */
struct ofox_half_char {
  unsigned long high; /* the first half of a pair, else 0 */
  size_t n;           /* bytes of an incomplete character */
  char bytes[4];
};

/*
** Adds bytes, or one code point (possibly half of a surrogate pair), to the
** text in 'out'; invalid parts become U+FFFD. 0, OFOX_EMEM or OFOX_ECAP.
*/
int ofox_half_char_bytes(struct ofox_half_char *h, struct ofox_buf *out,
                         struct ofox_span s);
int ofox_half_char_point(struct ofox_half_char *h, struct ofox_buf *out,
                         unsigned long cp);
/* End of the text: an incomplete character is invalid. */
int ofox_half_char_end(struct ofox_half_char *h, struct ofox_buf *out);

#endif
