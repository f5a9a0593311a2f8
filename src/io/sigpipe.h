/*
** Keeps a write to a closed connection from killing the host: with
** CURLOPT_NOSIGNAL libcurl does not, and the TLS library writes without
** MSG_NOSIGNAL. The process's own signal dispositions are left alone.
*/
#ifndef OFOX_SIGPIPE_H
#define OFOX_SIGPIPE_H

#include <signal.h>

struct ofox_sigpipe {
  sigset_t _old;
  int _pending;
};

/* Between the two, SIGPIPE is held back from this thread and forgotten. */
void ofox_sigpipe_hold(struct ofox_sigpipe *s);
void ofox_sigpipe_release(struct ofox_sigpipe *s);

#endif
