/*
** Numbers in JSON: no digit is lost, and none is superfluous. Knows nothing of
** the surrounding text.
*/
#ifndef OFOX_LNUMBER_H
#define OFOX_LNUMBER_H

#include "base/buf.h"
#include "lua/lcompat.h"

/* Adds the number at 'idx'. 0, the buffer's error, or OFOX_ESYNTAX: it is NaN
** or infinite, which JSON cannot represent. [-0, +0, e] */
int ofox_putnumber(lua_State *L, struct ofox_buf *out, int idx);

#endif
