/*
** Randomness for the rest of core. Knows nothing of its purpose.
*/
#ifndef OFOX_LMACHINE_H
#define OFOX_LMACHINE_H

#include "lua/lcompat.h"

#define OFOX_ID_SIZE 22 /* characters of six random bits each */

/* Writes a unique id, and a NUL, to 'out': letters, digits, "-" and "_".
** [-0, +0, v] */
void ofox_putid(lua_State *L, char *out);

#endif
