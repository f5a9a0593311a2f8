/*
** The methods of a call for its events; see lcall.c for the rest.
*/
#ifndef OFOX_LEVENTS_H
#define OFOX_LEVENTS_H

#include "lua/lcompat.h"

extern const luaL_Reg ofox_event_methods[];

#endif
