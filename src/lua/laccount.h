/*
** Accounts as Lua holds them: those of this Lua state, by a hash of the origin
** and of the key.
*/
#ifndef OFOX_LACCOUNT_H
#define OFOX_LACCOUNT_H

#include "call/account.h"
#include "lua/lcompat.h"

/* A hash of the text at 'arg', never 0; of what is no text: 0. [-0, +0, -] */
uint32_t ofox_hashmodel(lua_State *L, int arg);

/* The account at 'arg', NULL if that is nil, or an argument error. [-0, +0, e]
 */
struct ofox_account *ofox_optaccount(lua_State *L, int arg);

#endif
