/*
** What other files of the binding need to take headers from Lua.
*/
#ifndef OFOX_LPARTS_H
#define OFOX_LPARTS_H

#include "lua/lofox.h"

/* Pushes a userdata that owns empty headers: not before the arguments are
** all there (lua_settop), or it passes for one. [-0, +1, e] */
struct ofox_headers *ofox_newheaders(lua_State *L);

/*
** Adds the headers at 'arg': nil, a map from name to text, number or a list
** of texts (of which the first counts), or a list of {name, value} or of
** lines "Name: value" (with their status line or without). What is neither
** is an argument error. The status of 'h' means nothing. [-0, +0, e]
*/
void ofox_checkheaders(lua_State *L, int arg, struct ofox_headers *h);

/* Seconds since 1970 at 'arg': an argument error unless finite. */
double ofox_checkmoment(lua_State *L, int arg);

#endif
