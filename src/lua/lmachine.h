/*
** Randomness for the rest of core. Knows nothing of what it is for.
*/
#ifndef OFOX_LMACHINE_H
#define OFOX_LMACHINE_H

#include "lua/lcompat.h"

#define OFOX_UUID_SIZE 36 /* characters */

/* Writes a random one (RFC 9562, version 4), and a NUL, to 'out'.
** [-0, +0, v] */
void ofox_putuuid(lua_State *L, char *out);

#endif
