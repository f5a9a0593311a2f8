/*
** Corrects a decoded value where the decoder deviated from the text. Knows
** nothing of which decoder it was.
*/
#ifndef OFOX_LPOLISH_H
#define OFOX_LPOLISH_H

#include "base/buf.h"
#include "lua/lcompat.h"

/* Corrects the value on top, which was decoded from 'text'. It or its
** replacement is on top then. Uses the marks. [-0, +0 or 1, e] */
void ofox_polish(lua_State *L, struct ofox_span text);

/* Skips the string or word at 'p'; '*whole': it has only digits. */
const char *ofox_polish_string(const char *p, const char *e);
const char *ofox_polish_word(const char *p, const char *e, int *whole);

#endif
