/*
** What an event of a stream contains, in whatever dialect, and whether it is a
** failure although it looks like an answer. The members of a dialect are known
** to its file in wire/dialects.
** Knows nothing of transfers, framing or Lua.
*/
#ifndef OFOX_DELTA_H
#define OFOX_DELTA_H

#include "wire/dialects/dialect.h"

/* Reads an event; 'type' is its event name, empty if it had none. */
void ofox_delta_read(const struct ofox_dialect *dialect, struct ofox_span type,
                     struct ofox_span data, struct ofox_delta *out);

/*
** Is an event of the same name identical to 'before', except for its text,
** which is not empty, and padding? 'of' is their position in 'before', which
** is plain. 1: 'out' is their position here. 0: it must be read.
*/
int ofox_delta_again(struct ofox_span before, const struct ofox_holes *of,
                     struct ofox_span data, struct ofox_holes *out);

/* Rebases 'h' from 'from' to a copy of it at 'to'. */
void ofox_delta_move(struct ofox_holes *h, const char *from, const char *to);

/* Does JSON of that dialect, even if not an event, report an error? Then 'out'
** is one: see error_in_success.h. */
int ofox_delta_is_fault(const struct ofox_dialect *dialect,
                        struct ofox_span json, struct ofox_delta *out);

/* Is this data the sentinel? It counts as soon as its line is complete. */
int ofox_delta_is_end(struct ofox_span type, struct ofox_span data);

#endif
