/*
** Keeps a write to a closed connection from killing the host: with
** CURLOPT_NOSIGNAL libcurl does not, and the TLS library may write without
** MSG_NOSIGNAL. The process's own signal dispositions are left alone.
** Knows nothing of libcurl but what it says of itself.
*/
#ifndef OFOX_SIGPIPE_H
#define OFOX_SIGPIPE_H

#include <signal.h>

struct ofox_sigpipe {
  int always; /* hold it back from each enter on, see ofox_sigpipe_raised_by */
  int _depth; /* enters without their leave */
  int _held;
  int _pending;
  sigset_t _old;
};

/*
** May a libcurl of that version (0xMMmmpp) raise SIGPIPE by itself, with a TLS
** library that calls itself that, or without any (NULL)?
*/
int ofox_sigpipe_raised_by(unsigned version, const char *tls);

/* Around all that libcurl does; may be nested. */
void ofox_sigpipe_enter(struct ofox_sigpipe *s);
/* From here to the last leave SIGPIPE is held back from this thread, and from
** those that it makes, and then forgotten. Nothing outside of enter. */
void ofox_sigpipe_hold(struct ofox_sigpipe *s);
void ofox_sigpipe_leave(struct ofox_sigpipe *s);

#endif
