/*
** Whether this process was forked off another one.
** Knows nothing of what must not be shared with it.
*/
#ifndef OFOX_FORKS_H
#define OFOX_FORKS_H

/* Before the first question, as often as wanted: 0 or OFOX_EMEM. */
int ofox_forks_watch(void);

/*
** How many times fork() has returned in a child, since the watch began, on the
** way to this process: another number tells that it is another process. A
** child of vfork, of a bare clone or of _Fork is not noticed; none of them may
** go on with what is in memory.
*/
unsigned long ofox_forks_passed(void);

#endif
