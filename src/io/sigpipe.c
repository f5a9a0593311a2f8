#define _POSIX_C_SOURCE 200809L
#include "io/sigpipe.h"

#include <errno.h>
#include <string.h>

static int is_pending(void) {
  sigset_t s;
  sigemptyset(&s);
  sigpending(&s);
  return sigismember(&s, SIGPIPE);
}

void ofox_sigpipe_hold(struct ofox_sigpipe *s) {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  s->_pending = is_pending();
  pthread_sigmask(SIG_BLOCK, &pipe, &s->_old);
}

void ofox_sigpipe_release(struct ofox_sigpipe *s) {
  sigset_t pipe;
  int ignored, error = errno;
  if (!s->_pending && is_pending()) {
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigwait(&pipe, &ignored);
  }
  pthread_sigmask(SIG_SETMASK, &s->_old, NULL);
  errno = error;
}
