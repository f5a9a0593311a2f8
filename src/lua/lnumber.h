/*
** Numbers as JSON has them: no digit is lost, and none is too many. Knows
** nothing of what stands around them.
*/
#ifndef OFOX_LNUMBER_H
#define OFOX_LNUMBER_H

#include "base/buf.h"
#include "lua/lcompat.h"

/* Adds the number at 'idx'. 0, what the buffer says, or OFOX_ESYNTAX: it is
** NaN or infinite, which JSON cannot say. [-0, +0, e] */
int ofox_putnumber(lua_State *L, struct ofox_buf *out, int idx);

#endif
