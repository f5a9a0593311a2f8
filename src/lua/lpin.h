/*
** Keeps a shared object of ofox in the process. lua_close unloads it while it
** may still be needed: by a thread of libcurl that resolves a name, or by the
** finalizers of older objects.
*/
#ifndef OFOX_LPIN_H
#define OFOX_LPIN_H

/* Pins the object that this is linked into. */
void ofox_pin(void);

#endif
