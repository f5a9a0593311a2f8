/*
** What the words of the protocol mean: which replies and events are failures
** although they look like answers.
** Knows nothing of transfers, framing or Lua.
*/
#ifndef OFOX_DELTA_H
#define OFOX_DELTA_H

#include "buf.h"

/*
** The first choice of a whole reply that ended with finish_reason "error", as
** JSON text (what went wrong is in its 'error' if the server says so), or
** OFOX_NOSPAN.
*/
struct ofox_span ofox_delta_failed_choice(struct ofox_span body);

/* Is there such a choice? */
int ofox_delta_reply_failed(struct ofox_span body);

#endif
