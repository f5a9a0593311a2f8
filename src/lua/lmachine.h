/*
** Randomness for the rest of core. Knows nothing of what it is for.
*/
#ifndef OFOX_LMACHINE_H
#define OFOX_LMACHINE_H

#include "lua/lcompat.h"

#define OFOX_ID_SIZE 22 /* letters of six random bits each */

/* Writes an id that no other has, and a NUL, to 'out': letters, digits, "-"
** and "_". [-0, +0, v] */
void ofox_putid(lua_State *L, char *out);

#endif
