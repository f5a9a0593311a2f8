/*
** Ctrl-C in a wait. The stand-alone interpreter handles the first SIGINT by
** setting a hook on the main thread, which raises "interrupted!" at the next
** step of Lua, and lets the second kill the process. Here the hook is detected
** before it runs: an ofox error is raised instead, and the interpreter's
** handler is restored, so that Ctrl-C works again.
** If it is not that hook for that signal, nothing is touched.
*/
#ifndef OFOX_LINTERRUPT_H
#define OFOX_LINTERRUPT_H

#include "lua/lcompat.h"

/* Seconds that one wait may last: a signal that arrives just before a wait is
** noticed only after it. */
#define OFOX_LONGEST_WAIT 0.08

/* After each wait: raises the error if it was Ctrl-C. [-0, +0, e] */
void ofox_checkinterrupt(lua_State *L);

/* Restores the interpreter's handler if a Ctrl-C has used it up; returns
** whether it did so. For a hook that ran by itself. [-0, +0, m] */
int ofox_rearm(lua_State *L);

/* Sets the function that creates the error; it is on top. [-1, +0, m] */
void ofox_setinterrupt(lua_State *L);

/* Stores the current handler, and the main thread if the registry does not
** have it (Lua 5.1). [-0, +0, m] */
void ofox_open_interrupt(lua_State *L);

#endif
