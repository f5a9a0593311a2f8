/*
** Short strings that recur, such as the names in JSON: a cache of the most
** recent ones, which are found faster than created.
** Knows nothing of JSON.
*/
#ifndef OFOX_LNAMES_H
#define OFOX_LNAMES_H

#include "base/buf.h"
#include "lua/lcompat.h"

#define OFOX_NAME_MAX 32 /* longer ones are not cached */
#define OFOX_NAMES 256

struct ofox_names;

/* Pushes an empty set, and the table that keeps its strings at 1 to
** OFOX_NAMES. [-0, +2, m] */
struct ofox_names *ofox_newnames(lua_State *L);

/* Pushes the string 's', which has no NUL; the table is at 'kept', which is
** not a pseudo-index and not relative to the top. [-0, +1, m] */
void ofox_pushname(lua_State *L, struct ofox_names *names, int kept,
                   struct ofox_span s);

#endif
