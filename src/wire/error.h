/*
** The parser of error bodies: from a status, an outcome of the transfer and a
** body to an error.
** Knows nothing of headers, retry policy, streams or Lua.
*/
#ifndef OFOX_ERROR_H
#define OFOX_ERROR_H

#include "base/buf.h"
#include "wire/body_delay.h"
#include "wire/outcomes.h"

#define OFOX_MESSAGE_CAP 1024     /* bytes of err.message */
#define OFOX_CODE_CAP 256         /* of code, param, type, request id */
#define OFOX_BODY_CAP (64 * 1024) /* of err.body */

/* All texts are valid UTF-8; an empty one means nil. */
struct ofox_error {
  enum ofox_class cls;
  enum ofox_outcome outcome; /* ANSWERED where status or body decided */
  int status;                /* as on the wire, 0 if no answer came */
  int retryable;             /* by class, code and status */
  int ambiguous; /* by status and body, the model may have seen the request;
                    that bytes were sent before a break is not known here */
  struct ofox_buf message;                              /* never empty */
  struct ofox_buf code, param, server_type, request_id; /* from the body */
  struct ofox_body_delay pause; /* requested by the body */
};

void ofox_error_init(struct ofox_error *e);
void ofox_error_free(struct ofox_error *e);

/*
** Reads a failure. A status >= 400 decides whatever the outcome is; else an
** outcome other than ANSWERED does; else the body does (an error object
** inside a 200, the data of an event: 'fallback' is the class when it names
** none that we know: INTERNAL or STREAM). HTML beside a status >= 400 says
** that the body is a page although it does not look like one. The body may be
** cut anywhere.
** What 'e' held before is gone; 'body' must not be part of it.
** 0 or OFOX_EMEM; even then the error is whole but for its texts.
*/
int ofox_error_read(struct ofox_error *e, int status,
                    enum ofox_outcome outcome, struct ofox_span body,
                    enum ofox_class fallback);

#endif
