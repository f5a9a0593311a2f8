/*
** The strings of JSON (RFC 8259, section 7), read in one pass: where they end,
** and their text.
** Knows nothing of the surrounding text.
*/
#ifndef OFOX_JSON_STRING_H
#define OFOX_JSON_STRING_H

#include "base/buf.h"

/* What is in a string. Without the first two its bytes are its text. */
enum {
  OFOX_STRING_ESCAPES = 1,
  OFOX_STRING_BAD = 2, /* bytes that are no UTF-8 */
  OFOX_STRING_LONE = 4 /* halves of surrogate pairs, escaped */
};

/*
** The closing quote of the string whose text 'p' is at, or NULL: it is broken
** (a NUL breaks it, other control characters do not) or has no end. '*found'
** says what is in it.
*/
const char *ofox_json_read_string(const char *p, const char *e,
                                  unsigned *found);

/* Room that ofox_json_unescape needs for 'n' bytes. */
#define OFOX_UNESCAPED_ROOM(n) (3 * (n) + 8)

/*
** Writes the text of a string that has been read, as valid UTF-8: bad bytes
** and lone halves become U+FFFD. With 'halves' bad bytes stay, and lone halves
** become three bytes each, as if they were characters. Returns its length.
*/
size_t ofox_json_unescape(char *to, struct ofox_span text, int halves);

/* Such three bytes, of the half 'cp'. */
void ofox_json_put_half(char to[3], unsigned long cp);

#endif
