/*
** What an answer means: a success, or which failure although its status does
** not say so.
** Knows nothing of transfers, of time, or of what a failure leads to.
*/
#ifndef OFOX_VERDICT_H
#define OFOX_VERDICT_H

#include "wire/classes.h"
#include "wire/headers.h"

/* What counts as a success, once the status is 2xx. The first five are JSON
** objects that are no errors, and should have something in them. */
enum ofox_expect {
  OFOX_EXPECT_OBJECT, /* an id */
  OFOX_EXPECT_CHOICES,
  OFOX_EXPECT_OUTPUT,
  OFOX_EXPECT_DATA,
  OFOX_EXPECT_LIST,   /* data as well, but a bare list will do */
  OFOX_EXPECT_ANY,    /* any JSON; nothing at all under 204 and 205 */
  OFOX_EXPECT_RAW,    /* any bytes */
  OFOX_EXPECT_CONTACT /* any answer, whatever its status */
};

/* What the body of an answer to a stream request is. */
enum ofox_verdict_kind {
  OFOX_VERDICT_UNKNOWN, /* it takes more of it to tell */
  OFOX_VERDICT_EVENTS,
  OFOX_VERDICT_BODY /* anything else, to be read as a whole */
};

/* Do the headers promise events? */
int ofox_verdict_is_stream(const struct ofox_headers *h);

/* By its type and how it begins, blanks left out; either may be wrong. */
enum ofox_verdict_kind ofox_verdict_kind(const struct ofox_headers *h,
                                         struct ofox_span beginning);

/* The bytes that say that a call has failed, and how to read them. */
struct ofox_verdict {
  int failed;
  enum ofox_outcome outcome;
  enum ofox_class fallback; /* of an error inside a success that names none */
  struct ofox_span part;    /* of the body */
};

/* Has 'body' an end that can be told from a cut? */
int ofox_verdict_is_framed(const struct ofox_headers *h);

/* An answer that came whole. */
struct ofox_whole_response {
  int status;
  int framed;            /* its end can be told from a cut */
  struct ofox_span type; /* Content-Type, or empty */
  struct ofox_span body;
};

/*
** Judges it. Under a status >= 400 the outcome is ANSWERED, or HTML where the
** body is a page.
*/
struct ofox_verdict ofox_verdict_judge(const struct ofox_whole_response *a,
                                       enum ofox_expect expect);

#endif
