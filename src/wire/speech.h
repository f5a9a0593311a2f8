/*
** Text for people in JSON: whether a value is non-empty, and the first text in
** it that is meant to be read.
** Knows nothing of classes or statuses.
*/
#ifndef OFOX_SPEECH_H
#define OFOX_SPEECH_H

#include "wire/members.h"

/*
** Is it empty in meaning? Missing, null, false, 0, a text that is blank or
** another word for null or "ok", a container of nothing but these.
*/
int ofox_speech_is_hollow(struct ofox_json v);

/*
** The first string for people in 'v': 'v' itself, or a string at most four
** levels deep under 'error', 'message', 'detail', 'title', 'errors' and the
** like, in this order; in a list, the first one found. NONE: there is none.
** 'known' are objects whose members have been read, terminated by NULL.
*/
struct ofox_json ofox_speech_find(struct ofox_json v,
                                  const struct ofox_members *const *known);

/* Is there a text in it under any name but those of ids and kinds? */
int ofox_speech_has_words(struct ofox_json v);

#endif
