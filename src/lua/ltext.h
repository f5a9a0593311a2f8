/*
** Text in the form that Lua gets.
*/
#ifndef OFOX_LTEXT_H
#define OFOX_LTEXT_H

#include "base/buf.h"
#include "lua/lcompat.h"

/* Pushes a text, with invalid UTF-8 replaced by U+FFFD. [-0, +1, e] */
void ofox_pushutf8(lua_State *L, struct ofox_span s);

#endif
