/*
** Web pages: whether a body is one, and its text.
** Knows nothing of statuses or of what a page means.
*/
#ifndef OFOX_HTML_H
#define OFOX_HTML_H

#include "base/buf.h"

/*
** 'type' is the Content-Type, or empty. A body that begins with '<' is a page
** under text/html; under any other type it takes a doctype or one of HTML's
** own tags, behind blanks, comments and an XML declaration.
*/
int ofox_html_is(struct ofox_span type, struct ofox_span body);

/*
** 'out' becomes the text of the title, else of the first h1, else h2, else the
** beginning of the visible text. Runs of blanks become one; bad UTF-8 stays.
** 1, 0 if there is no text, or OFOX_EMEM.
*/
int ofox_html_words(struct ofox_span body, struct ofox_buf *out);

/* The same for the first element of that name, in XML too. */
int ofox_html_element(struct ofox_span body, const char *name,
                      struct ofox_buf *out);

#endif
