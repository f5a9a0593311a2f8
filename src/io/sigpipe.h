/*
** Keeps a write to a closed connection from killing the host: with
** CURLOPT_NOSIGNAL libcurl does not, and the TLS library may write without
** MSG_NOSIGNAL. The process's own signal dispositions are left alone.
** Knows nothing of libcurl except its version string.
*/
#ifndef OFOX_SIGPIPE_H
#define OFOX_SIGPIPE_H

#include <signal.h>

struct ofox_sigpipe {
  int always; /* block it from each enter on, see ofox_sigpipe_raised_by */
  int _depth; /* enters without a leave */
  int _held;
  int _pending;
  sigset_t _old;
};

/*
** May a libcurl of that version (0xMMmmpp) raise SIGPIPE by itself, with a TLS
** library that calls itself that, or without any (NULL)?
*/
int ofox_sigpipe_raised_by(unsigned version, const char *tls);

/* Around everything that libcurl does; may be nested. */
void ofox_sigpipe_enter(struct ofox_sigpipe *s);
/* From here to the last leave SIGPIPE is blocked in this thread and in those
** that it creates, and then discarded. No effect outside of enter. */
void ofox_sigpipe_hold(struct ofox_sigpipe *s);
void ofox_sigpipe_leave(struct ofox_sigpipe *s);

#endif
