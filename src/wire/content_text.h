/*
** The text of an answer where it is more than one string: contents that are
** lists of parts, several deltas in one event, a message beside them.
** Knows nothing of events, of errors, or of the other members.
*/
#ifndef OFOX_CONTENT_TEXT_H
#define OFOX_CONTENT_TEXT_H

#include "base/json.h"

/* The text up to now. */
struct ofox_content_text {
  struct ofox_buf text; /* valid UTF-8 */
  int by_delta;         /* some of it came in deltas */
  struct ofox_half_char _half;
};

void ofox_content_text_init(struct ofox_content_text *w, size_t cap);
void ofox_content_text_free(struct ofox_content_text *w);
void ofox_content_text_clear(struct ofox_content_text *w);

/* All of these add to the text. 0, OFOX_EMEM or OFOX_ECAP. */

/* A string of a delta. */
int ofox_content_text_string(struct ofox_content_text *w,
                             struct ofox_json string);
/*
** Adds the text of choice 0 in an event. A message beside a delta, or after
** deltas, is the text up to now or all of it: only what exceeds the text is
** added.
*/
int ofox_content_text_choices(struct ofox_content_text *w,
                              struct ofox_json choices);
/* The output texts of a response that was sent whole. */
int ofox_content_text_output(struct ofox_content_text *w,
                             struct ofox_json response);
/* End of the text. */
int ofox_content_text_end(struct ofox_content_text *w);

#endif
