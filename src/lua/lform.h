/*
** Calls that send files: their form, as Lua adds to it.
** Knows nothing of how it is sent.
*/
#ifndef OFOX_LFORM_H
#define OFOX_LFORM_H

#include "lua/lcall.h"

void ofox_lform_free(struct ofox_lcall *c);

/* Can the call send what it has to? If not it ends, at the time at 'arg', if
** there is any. [-0, +0, e] */
int ofox_lform_check(lua_State *L, int arg, struct ofox_lcall *c);

#endif
