/*
** Finds the addresses of a host's name in a thread of its own, since the
** system's function blocks.
** Knows nothing of Redis, nor of who waits.
*/
#ifndef OFOX_REDIS_LOOKUP_H
#define OFOX_REDIS_LOOKUP_H

#include <stddef.h>

#define OFOX_LOOKUP_MOST 8  /* addresses */
#define OFOX_LOOKUP_SIZE 80 /* of a numeric one, with its NUL */

struct ofox_lookup;

/* Is that an address already? */
int ofox_lookup_is_address(const char *host);

/* NULL: no memory, thread or descriptor, and errno. */
struct ofox_lookup *ofox_lookup_new(const char *host);
/* Readable when the lookup has ended. */
int ofox_lookup_fd(const struct ofox_lookup *l);
/*
** 0: it has not ended. 1: it has, and 'address' gets the 'nth' one, from 0 on.
** Negative: there are no more, and '*problem', static, says why there is none
** at all.
*/
int ofox_lookup_take(struct ofox_lookup *l, size_t nth,
                     char address[OFOX_LOOKUP_SIZE], const char **problem);
/* The thread ends by itself. NULL is fine. */
void ofox_lookup_delete(struct ofox_lookup *l);
/* In a forked child, which has no such thread. */
void ofox_lookup_abandon(struct ofox_lookup *l);

#endif
