/*
** The path to a part of a value, as messages name it: messages[2].content
** Knows nothing of what is wrong there.
*/
#ifndef OFOX_LPATH_H
#define OFOX_LPATH_H

#include "base/buf.h"
#include "lua/lcompat.h"

#define OFOX_PATH_MAX 352 /* bytes that a path has at most */

/* Adds the path whose keys, strings and numbers, are at 'first' and at every
** second index after it, up to 'last'. 'out' is empty and has room for
** OFOX_PATH_MAX bytes. [-0, +0, e] */
void ofox_putpath(lua_State *L, struct ofox_buf *out, int first, int last);

#endif
