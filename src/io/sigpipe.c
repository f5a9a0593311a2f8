#define _POSIX_C_SOURCE 200809L
#include "io/sigpipe.h"

#include <errno.h>
#include <string.h>

/*
** libcurl itself always writes with MSG_NOSIGNAL or SO_NOSIGPIPE. From this
** version on the libraries below write through it; GnuTLS always has.
*/
#define WRITES_FOR_TLS 0x075800 /* 7.88.0 */

int ofox_sigpipe_raised_by(unsigned version, const char *tls) {
  static const char *const THROUGH[] = {"OpenSSL/", "LibreSSL/", "BoringSSL",
                                        "AWS-LC",   "quictls/",  "GnuTLS/"};
  size_t i;
  if (version < WRITES_FOR_TLS)
    return 1;
  if (tls == NULL)
    return 0;
  for (i = 0; i < sizeof(THROUGH) / sizeof(THROUGH[0]); i++) {
    if (strncmp(tls, THROUGH[i], strlen(THROUGH[i])) == 0)
      return 0;
  }
  return 1;
}

static int is_pending(void) {
  sigset_t s;
  sigemptyset(&s);
  sigpending(&s);
  return sigismember(&s, SIGPIPE);
}

void ofox_sigpipe_enter(struct ofox_sigpipe *s) {
  s->_depth++;
  if (s->always)
    ofox_sigpipe_hold(s);
}

void ofox_sigpipe_hold(struct ofox_sigpipe *s) {
  sigset_t pipe;
  if (s->_depth == 0 || s->_held)
    return;
  s->_held = 1;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  s->_pending = is_pending();
  pthread_sigmask(SIG_BLOCK, &pipe, &s->_old);
}

void ofox_sigpipe_leave(struct ofox_sigpipe *s) {
  sigset_t pipe;
  int ignored, error = errno;
  if (--s->_depth > 0 || !s->_held)
    return;
  s->_held = 0;
  if (!s->_pending && is_pending()) {
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigwait(&pipe, &ignored);
  }
  pthread_sigmask(SIG_SETMASK, &s->_old, NULL);
  errno = error;
}
