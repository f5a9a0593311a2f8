/*
** What went wrong: the reader of error bodies. A status, an outcome of the
** transfer and a body come in, a verdict goes out.
** Knows nothing of headers, retry policy, streams or Lua.
*/
#ifndef OFOX_ERRORS_H
#define OFOX_ERRORS_H

#include "buf.h"
#include "classes.h"

#define OFOX_MESSAGE_CAP 1024     /* bytes of err.message */
#define OFOX_CODE_CAP 256         /* of code, param, type, request id */
#define OFOX_BODY_CAP (64 * 1024) /* of err.body */

/* All texts are valid UTF-8; an empty one stands for nil. */
struct ofox_error {
  enum ofox_class cls;
  enum ofox_outcome outcome;
  int status; /* as on the wire, 0 if no answer came */
  int retryable;
  struct ofox_buf message;                              /* never empty */
  struct ofox_buf code, param, server_type, request_id; /* from the body */
  double delay; /* seconds the body asks to wait; NaN if it does not */
};

void ofox_error_init(struct ofox_error *e);
void ofox_error_free(struct ofox_error *e);

/*
** Reads a failure. A status >= 400 decides whatever the outcome is; else an
** outcome other than ANSWERED does; else the body does (an error object
** inside a 200, an event of a stream: 'fallback' is the class when it names
** none that we know: INTERNAL or STREAM).
** 0 or OFOX_EMEM; even then the error is whole but for its texts.
*/
int ofox_errors_read(struct ofox_error *e, int status,
                     enum ofox_outcome outcome, struct ofox_span body,
                     enum ofox_class fallback);

/*
** Does this JSON say that it is an error although its status does not? An
** object in 'error', or a flat object whose 'object' or 'type' is "error".
*/
int ofox_errors_inside(struct ofox_span body);

int ofox_errors_is_html(struct ofox_span body);

#endif
