/*
** What the words of the protocol mean: which replies and events are failures
** although they look like answers.
** Knows nothing of transfers, framing or Lua.
*/
#ifndef OFOX_DELTA_H
#define OFOX_DELTA_H

#include "buf.h"

/* A choice of a whole reply ended with finish_reason "error". */
int ofox_delta_reply_failed(struct ofox_span body);

#endif
