/*
** One pollable descriptor over many sockets and one timer: epoll and timerfd
** on Linux, kqueue on macOS and BSD, poll(2) elsewhere (then there is no
** descriptor to show).
** Knows nothing of libcurl, HTTP or Lua.
**
** A poller belongs to the process that made it: on Linux a forked child
** shares it with its parent, and all the child may do is delete its copy.
*/
#ifndef OFOX_POLLER_H
#define OFOX_POLLER_H

#include <stddef.h>

enum { OFOX_POLL_IN = 1, OFOX_POLL_OUT = 2, OFOX_POLL_ERR = 4 };

struct ofox_poll_event {
  int fd;
  int what; /* of OFOX_POLL_* */
};

struct ofox_poller;

struct ofox_poller *ofox_poller_new(void);      /* NULL: no memory */
void ofox_poller_delete(struct ofox_poller *p); /* NULL is fine */

/*
** Takes the descriptors that it needs, if it has none. 0, or negative: errno
** says why. Until then nothing can be watched, and a wait only takes time.
*/
int ofox_poller_open(struct ofox_poller *p);

/*
** Watches 'fd' for 'what' (0: not at all), even if the number was closed and
** reused since. Unwatching a closed or unwatched descriptor is not an error.
** 0, or negative: errno says why.
*/
int ofox_poller_set(struct ofox_poller *p, int fd, int what);

/*
** Makes the descriptor readable 'seconds' from now (INFINITY: never, 0: now),
** so that an outer loop wakes up in time. Once a wait has observed that time,
** nothing is armed. Requesting the same moment again is free.
*/
void ofox_poller_arm(struct ofox_poller *p, double seconds);

/* The descriptor an outer loop polls for reading, or -1. */
int ofox_poller_fd(const struct ofox_poller *p);

/*
** Waits at most 'seconds' (INFINITY: without limit) for something to happen to
** a socket or for the armed time. Returns the number of events filled in, 0 on
** timeout, -1 with errno EINTR on a signal. A socket that failed or was hung
** up is reported as what it was watched for, so that the reader or writer
** finds out why; one socket may take two events.
*/
int ofox_poller_wait(struct ofox_poller *p, double seconds,
                     struct ofox_poll_event *events, size_t max);

#endif
