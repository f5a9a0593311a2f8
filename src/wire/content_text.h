/*
** The text of an answer where it is more than one string: contents that are
** lists of parts, several deltas in one event, a message beside them.
** Knows nothing of events, of errors, or of what else is said.
*/
#ifndef OFOX_PROSE_H
#define OFOX_PROSE_H

#include "base/json.h"

/* The text so far. */
struct ofox_prose {
  struct ofox_buf text; /* valid UTF-8 */
  int by_delta;         /* some of it came in deltas */
  struct ofox_half _half;
};

void ofox_prose_init(struct ofox_prose *w, size_t cap);
void ofox_prose_free(struct ofox_prose *w);
void ofox_prose_clear(struct ofox_prose *w);

/* All of these add to the text. 0, OFOX_EMEM or OFOX_ECAP. */

/* A string of a delta. */
int ofox_prose_string(struct ofox_prose *w, struct ofox_json string);
/*
** What the choices of an event say in choice 0. A message beside a delta, or
** after deltas, is the text so far or the whole of it: it adds what goes
** beyond the text.
*/
int ofox_prose_choices(struct ofox_prose *w, struct ofox_json choices);
/* The output texts of a response that came whole. */
int ofox_prose_output(struct ofox_prose *w, struct ofox_json response);
/* There is no more of it. */
int ofox_prose_end(struct ofox_prose *w);

#endif
