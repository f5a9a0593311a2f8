/*
** Keeps a shared object of ours in the process. lua_close unloads it while
** others may still need it: a thread of libcurl's that looks a name up, or the
** finalizers of objects older than it.
*/
#ifndef OFOX_LPIN_H
#define OFOX_LPIN_H

/* For the object that this was linked into. */
void ofox_pin(void);

#endif
