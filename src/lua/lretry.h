/*
** Retry policies from Lua.
*/
#ifndef OFOX_LRETRY_H
#define OFOX_LRETRY_H

#include "lua/lcompat.h"
#include "policy/retry.h"

/* The policy at 'arg': nil, a name or a table; misuse raises. [-0, +0, e] */
void ofox_checkpolicy(lua_State *L, int arg, struct ofox_policy *p);

#endif
