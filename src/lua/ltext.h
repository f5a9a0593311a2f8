/*
** Texts as Lua takes them.
*/
#ifndef OFOX_LTEXT_H
#define OFOX_LTEXT_H

#include "base/buf.h"
#include "lua/lcompat.h"

/* Pushes a text, each piece of it that is no UTF-8 as U+FFFD. [-0, +1, e] */
void ofox_pushutf8(lua_State *L, struct ofox_span s);

#endif
