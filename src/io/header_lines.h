/*
** The header lines of a request, as libcurl takes them: those that it shares
** with others, and its own. libcurl adds none by itself except Host, the
** length of the body, and the type of a form.
** Knows nothing of their meaning, except of those that libcurl would add.
*/
#ifndef OFOX_HEADER_LINES_H
#define OFOX_HEADER_LINES_H

#include <curl/curl.h>

#include "base/buf.h"

/* What follows the headers. */
enum ofox_sends { OFOX_SENDS_NOTHING, OFOX_SENDS_BYTES, OFOX_SENDS_FORM };

/* Zeroed: none. */
struct ofox_header_lines {
  struct curl_slist *first;   /* the list, which each of both changes */
  struct ofox_buf _own;       /* nodes, and then their text */
  struct curl_slist *_shared; /* in one piece of memory */
  struct curl_slist *_before; /* the last before the own ones; NULL: none */
  struct curl_slist *_after;  /* the first after them; NULL: none */
  int _codes;                 /* that one is our Accept-Encoding */
};

void ofox_header_lines_free(struct ofox_header_lines *h); /* zeroed again */

/* Both arrays end with NULL, and are copied. 0 or OFOX_EMEM. */
/* The shared lines, of requests that send this. */
int ofox_header_lines_share(struct ofox_header_lines *h,
                            const char *const *lines, enum ofox_sends sends);
/* The lines of one request, replacing the previous ones; NULL: none. */
int ofox_header_lines_own(struct ofox_header_lines *h,
                          const char *const *lines);

#endif
