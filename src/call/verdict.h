/*
** What an answer means: a success, or which failure although its status does
** not indicate one.
** Knows nothing of transfers, of time, or of the consequences of failure.
*/
#ifndef OFOX_VERDICT_H
#define OFOX_VERDICT_H

#include "wire/outcomes.h"
#include "wire/headers.h"

/* What counts as a success, if the status is 2xx. The first four are JSON
** objects that are not errors, and should have a payload. */
enum ofox_expect {
  OFOX_EXPECT_OBJECT, /* an id */
  OFOX_EXPECT_ANSWER, /* what the dialect is due */
  OFOX_EXPECT_DATA,
  OFOX_EXPECT_LIST,    /* data as well, or a bare list */
  OFOX_EXPECT_ANY,     /* any JSON; empty with 204 and 205 */
  OFOX_EXPECT_RAW,     /* any bytes */
  OFOX_EXPECT_CONTACT, /* any answer, whatever its status */
  OFOX_EXPECT_JOB      /* an object; one with a status may say why it failed */
};

/* What the body of an answer to a stream request is. */
enum ofox_verdict_kind {
  OFOX_VERDICT_UNKNOWN, /* needs more of the body */
  OFOX_VERDICT_EVENTS,
  OFOX_VERDICT_BODY /* anything else: read as a whole */
};

/* Do the headers announce events? */
int ofox_verdict_is_stream(const struct ofox_headers *h);

/* Or lines of JSON, one an event? */
int ofox_verdict_is_lines(const struct ofox_headers *h);

/* By its type and its start, ignoring blanks; either may be wrong. */
enum ofox_verdict_kind ofox_verdict_kind(const struct ofox_headers *h,
                                         struct ofox_span beginning);

/* The bytes that report the failure of a call, and how to read them. */
struct ofox_verdict {
  int failed;
  enum ofox_outcome outcome;
  enum ofox_class fallback; /* of an error inside a success that names none */
  struct ofox_span part;    /* of the body */
};

/* Can the end of 'body' be distinguished from a truncation? */
int ofox_verdict_is_framed(const struct ofox_headers *h);

/* An answer that was received whole. */
struct ofox_whole_response {
  int status;
  int framed;            /* its end can be distinguished from a truncation */
  struct ofox_span type; /* Content-Type, or empty */
  struct ofox_span body;
  const char *due; /* ANSWER: the member that it should have */
};

/*
** Judges it. With a status >= 400 the outcome is ANSWERED, or HTML if the body
** is a page.
*/
struct ofox_verdict ofox_verdict_judge(const struct ofox_whole_response *a,
                                       enum ofox_expect expect);

#endif
