/*
** The last hand on a decoded value: what its text says and the decoder did
** not. Knows nothing of which decoder it was.
*/
#ifndef OFOX_LPOLISH_H
#define OFOX_LPOLISH_H

#include "base/buf.h"
#include "lua/lcompat.h"

/* Puts right the value on top, which was decoded from 'text'. It or what
** stands for it is on top then. Asks the marks. [-0, +0 or 1, e] */
void ofox_polish(lua_State *L, struct ofox_span text);

/* Past the string or word at 'p'; '*whole': of digits alone. */
const char *ofox_polish_string(const char *p, const char *e);
const char *ofox_polish_word(const char *p, const char *e, int *whole);

#endif
