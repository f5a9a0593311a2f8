/*
** UTF-8 (RFC 3629): check, repair, cut. Knows nothing of JSON or Lua.
*/
#ifndef OFOX_UTF8_H
#define OFOX_UTF8_H

#include "base/buf.h"

#define OFOX_REPLACEMENT 0xFFFDUL /* replaces invalid bytes */

/* Length of the longest prefix of 's' that is valid. */
size_t ofox_utf8_valid(struct ofox_span s);

/* Past the valid characters beyond ASCII that 'p' starts with. */
const char *ofox_utf8_skip(const char *p, const char *e);
/* Bytes of the maximal broken piece at 'p', at least 1. */
size_t ofox_utf8_broken(const char *p, const char *e);

/* Writes one code point; surrogates and beyond U+10FFFF become U+FFFD. */
size_t ofox_utf8_bytes(char to[4], unsigned long cp);
/* The same, into a buffer. */
int ofox_utf8_put(struct ofox_buf *out, unsigned long cp);

/* Adds 's', each maximal broken piece as one U+FFFD. */
int ofox_utf8_clean(struct ofox_buf *out, struct ofox_span s);

/* 's' cut to at most 'max' bytes, between code points. */
struct ofox_span ofox_utf8_cut(struct ofox_span s, size_t max);

/* 's' without a leading byte order mark. */
struct ofox_span ofox_utf8_skip_bom(struct ofox_span s);

#endif
