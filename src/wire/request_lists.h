/*
** The members of a request that the API knows as lists, by name: an empty one
** is encoded as such. Knows nothing of values, or of how they are encoded.
*/
#ifndef OFOX_REQUEST_LISTS_H
#define OFOX_REQUEST_LISTS_H

#include "base/buf.h"

/* Is a member of that name a list? 'depth' is 1 for those of the params. */
int ofox_request_lists_has(struct ofox_span name, int depth);

/* Are the members of such a member named by the program, so that the names say
** nothing about their type? */
int ofox_request_lists_ends(struct ofox_span name, int depth);

#endif
