/*
** Does JSON that came as a success say that it is none? The one place that
** decides it, for whole answers and for single events.
** Knows nothing of transfers, framing, statuses or Lua.
*/
#ifndef OFOX_FAULT_H
#define OFOX_FAULT_H

#include "buf.h"
#include "classes.h"

struct ofox_fault {
  struct ofox_span part;    /* the JSON that says what went wrong */
  enum ofox_class fallback; /* of one that names no class we know */
};

/*
** 1 and 'out' if 'body' says that it is an error: an object in 'error'; a text
** there, unless an 'id' makes the whole a record of something; a flat object
** whose 'object' or 'type' is "error"; an array that starts with one of these;
** a choice that ended with finish_reason "error". Else 0.
*/
int ofox_fault_find(struct ofox_span body, struct ofox_fault *out);

#endif
