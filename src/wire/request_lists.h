/*
** Which members of a request the API knows as lists, by their names: an empty
** one is written as such. Knows nothing of values, or of how they are written.
*/
#ifndef OFOX_REQUEST_LISTS_H
#define OFOX_REQUEST_LISTS_H

#include "base/buf.h"

/* Is a member of that name a list? 'depth' is 1 for those of the params. */
int ofox_request_lists_has(struct ofox_span name, int depth);

/* Have the members of such a member names of the program's, which say nothing
** of what they are? */
int ofox_request_lists_ends(struct ofox_span name, int depth);

#endif
