/*
** Ctrl-C in a wait. The stand-alone interpreter answers the first SIGINT by
** setting a hook on the main thread, which raises "interrupted!" at the next
** step of Lua, and leaves the second to kill the process. Here the hook is
** seen before it runs: an error of ofox's own is raised in its place, and the
** interpreter's handler is put back, so that Ctrl-C works again.
** Where it is not that hook on that signal, nothing is touched.
*/
#ifndef OFOX_LINTERRUPT_H
#define OFOX_LINTERRUPT_H

#include "lua/lcompat.h"

/* Seconds that one wait may last: a signal that comes just before a wait is
** noticed only after it. */
#define OFOX_LONGEST_WAIT 0.08

/* After each wait: raises the error if it was Ctrl-C. [-0, +0, e] */
void ofox_checkinterrupt(lua_State *L);

/* Puts the interpreter's handler back if a Ctrl-C has used it up; whether it
** did so. For a hook that has run by itself. [-0, +0, m] */
int ofox_rearm(lua_State *L);

/* Sets what makes the error: the function on top of the stack. [-1, +0, m] */
void ofox_setinterrupt(lua_State *L);

/* Remembers the handler that is there, and the main thread where the registry
** does not (Lua 5.1). [-0, +0, m] */
void ofox_open_interrupt(lua_State *L);

#endif
