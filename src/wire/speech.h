/*
** What JSON says to people: whether there is anything in a value, and the
** first text in it that is meant to be read.
** Knows nothing of classes, statuses or of who asked.
*/
#ifndef OFOX_SPEECH_H
#define OFOX_SPEECH_H

#include "wire/members.h"

/*
** Does it say nothing? Nothing there, null, false, 0, a text that is blank or
** another word for null or "ok", a container of nothing but these.
*/
int ofox_speech_is_hollow(struct ofox_json v);

/*
** The first string for people in 'v': 'v' itself, or what stands, at most
** four levels deep, under 'error', 'message', 'detail', 'title', 'errors' and
** the like, in this order; of a list the first that speaks. NONE: there is
** none. 'known' are objects whose members have been read, up to a NULL.
*/
struct ofox_json ofox_speech_find(struct ofox_json v,
                                  const struct ofox_members *const *known);

/* Is there a text in it under any name but those of ids and kinds? */
int ofox_speech_has_words(struct ofox_json v);

#endif
