/*
** Whether this process was forked from another one.
** Knows nothing of what must not be shared with it.
*/
#ifndef OFOX_FORKS_H
#define OFOX_FORKS_H

/* Call before ofox_forks is used; idempotent: 0 or OFOX_EMEM. */
int ofox_forks_watch(void);

/*
** How many times fork() has returned in a child, since the watch began, on the
** way to this process: a different number means a different process. A child
** of vfork, of a bare clone or of _Fork is not noticed; none of them may
** continue to use what is in memory.
*/
unsigned long ofox_forks_passed(void);

#endif
