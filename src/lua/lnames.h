/*
** Short strings that come again and again, as the names of JSON do: Lua keeps
** the last of them, which are found quicker than they are made.
** Knows nothing of JSON.
*/
#ifndef OFOX_LNAMES_H
#define OFOX_LNAMES_H

#include "base/buf.h"
#include "lua/lcompat.h"

#define OFOX_NAME_MAX 32 /* longer ones are made anew */
#define OFOX_NAMES 256

struct ofox_names;

/* An empty set of them, and the table that keeps them at 1 to OFOX_NAMES.
** [-0, +2, m] */
struct ofox_names *ofox_newnames(lua_State *L);

/* Pushes the string 's', which has no NUL; the table is at 'kept', which is
** no pseudo-index and not relative to the top. [-0, +1, m] */
void ofox_pushname(lua_State *L, struct ofox_names *names, int kept,
                   struct ofox_span s);

#endif
