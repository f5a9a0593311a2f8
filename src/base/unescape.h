/*
** Reads text that may have been escaped, a character at a time:
** percent-encoded as in a URL or a form, as JSON, as JSON within JSON, or as
** the character references of a page.
** Knows nothing of what is searched for.
*/
#ifndef OFOX_UNESCAPE_H
#define OFOX_UNESCAPE_H

#include "base/buf.h"

enum ofox_escaped {
  OFOX_ESCAPED_NOT,
  OFOX_ESCAPED_URL,  /* every '+' is a blank, an escaped one, too */
  OFOX_ESCAPED_JSON, /* once */
  /* any number of times: backslashes are gone, and what follows one counts as
     its escape, so that a text and all that it can become give the same */
  OFOX_ESCAPED_DEEPLY,
  OFOX_ESCAPED_HTML,
  OFOX_ESCAPES /* how many ways there are */
};

#define OFOX_UNESCAPED_MAX 4 /* bytes that one step can give */

/*
** Consumes a character of 's', which is not empty. Returns how many bytes
** 'out' got, and in '*used' how many it consumed; '*used' 0: the text ends
** within it.
*/
size_t ofox_unescape(enum ofox_escaped how, struct ofox_span s,
                     char out[OFOX_UNESCAPED_MAX], size_t *used);

/* Can text have been escaped that way? Else it is returned unchanged. */
int ofox_unescape_applies(enum ofox_escaped how, struct ofox_span s);

/* How many bytes at the start of 's' stand for themselves, each a step. */
size_t ofox_unescape_plain(enum ofox_escaped how, struct ofox_span s);

#endif
