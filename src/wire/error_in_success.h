/*
** Does JSON that arrived as a success report an error? The only place that
** decides it, for whole answers and for single events.
** Knows nothing of transfers, framing, statuses or Lua.
*/
#ifndef OFOX_ERROR_IN_SUCCESS_H
#define OFOX_ERROR_IN_SUCCESS_H

#include "base/buf.h"
#include "wire/classes.h"

/*
** 'due' below is the member that a success would have: "choices" of a chat,
** "data" of embeddings, images and lists of models, "id" of one model; NULL:
** any JSON may be meant.
*/

struct ofox_error_in_success {
  struct ofox_span part;    /* of the body: the description of the error */
  enum ofox_class fallback; /* of one without a known class */
};

/*
** 1 and 'out' if 'body' says that it is an error, else 0. What is empty, or
** has only what is empty in it, says nothing (see ofox_speech_is_hollow).
**
** Always: an object in 'error'; a text or list there (but see below); a flat
** object whose 'object' or 'type' is "error"; an 'error' in a choice, or a
** choice that ended with finish_reason "error"; a list that starts with an
** error.
**
** Where the expected payload is missing, also anything that is not an answer
** but an error of another shape: 'success' false, a 'status' of "error" or
** "failed", an inner status or code from 400 to 599, a 'base_resp' whose
** status is not 0, any other code except 0 and 2xx beside a message; 'detail',
** 'errors', 'error_msg' and the like; a message and nothing else; or an object
** in 'data', 'result' or the like that is clearly an error. A payload that is
** merely missing is not an error.
**
** Where nothing was due there must be no doubt. A text in 'error' beside an
** 'id' is a record of something. 'success' false or a 'base_resp' is an error
** if it has a message; the rest of the shapes above only if the object has
** nothing in it but an error's own members.
*/
int ofox_error_in_success_find(struct ofox_span body, const char *due,
                               struct ofox_error_in_success *out);

/*
** The same in two steps, for a body whose grammar has to be checked as well.
** 'check' returns what ofox_json_check does; 'read' is for a body that passed.
*/
struct ofox_seen {
  int object;
  int payload; /* what was due is there, with something in it */
  int doubt;   /* something is called an error where errors stand */
};

int ofox_error_in_success_check(struct ofox_span body, const char *due,
                                struct ofox_seen *seen);
int ofox_error_in_success_read(struct ofox_span body, const char *due,
                               const struct ofox_seen *seen,
                               struct ofox_error_in_success *out);

#endif
