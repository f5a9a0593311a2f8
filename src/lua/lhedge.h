/*
** The methods of a call that make a hedge of it, and end it.
*/
#ifndef OFOX_LHEDGE_H
#define OFOX_LHEDGE_H

#include "lua/lcompat.h"

extern const luaL_Reg ofox_hedge_methods[];

#endif
