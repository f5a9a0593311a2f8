/*
** Ctrl-C in a wait: the stand-alone interpreter answers SIGINT by setting a
** hook on the main thread, which a coroutine that waits would not notice.
*/
#ifndef OFOX_LINTERRUPT_H
#define OFOX_LINTERRUPT_H

#include "lcompat.h"

/* Raises "interrupted!" if the hook of lua.c's signal handler is set on the
** main thread while another one runs. [-0, +0, e] */
void ofox_checkinterrupt(lua_State *L);

/* Remembers the main thread where the registry does not (Lua 5.1). */
void ofox_open_interrupt(lua_State *L);

#endif
