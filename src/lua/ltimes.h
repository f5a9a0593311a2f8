/*
** Times from and to Lua.
*/
#ifndef OFOX_LTIMES_H
#define OFOX_LTIMES_H

#include "lua/lcompat.h"

/* Seconds since 1970 at 'arg': an argument error unless finite. */
double ofox_checkmoment(lua_State *L, int arg);

/* Pushes seconds, or nil if they are NaN. [-0, +1] */
void ofox_pushseconds(lua_State *L, double v);

#endif
