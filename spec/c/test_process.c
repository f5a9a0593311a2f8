/*
** What the engine knows of its process: whether it was forked, and SIGPIPE.
** Prints "ok". From the root of the clone:
**
**   make build/ctest/test_process.ok
*/
#define _POSIX_C_SOURCE 200809L
#undef NDEBUG
#include "io/forks.h"
#include "io/sigpipe.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sys/wait.h>
#include <unistd.h>

static int is_blocked(void) {
  sigset_t s;
  assert(pthread_sigmask(SIG_SETMASK, NULL, &s) == 0);
  return sigismember(&s, SIGPIPE);
}

static int is_pending(void) {
  sigset_t s;
  assert(sigpending(&s) == 0);
  return sigismember(&s, SIGPIPE);
}

/* Kills the process where SIGPIPE is not held back. */
static void write_to_none(void) {
  int fds[2];
  assert(pipe(fds) == 0);
  close(fds[0]);
  assert(write(fds[1], "x", 1) == -1 && errno == EPIPE);
  close(fds[1]);
}

static void test_who_raises(void) {
  static const struct {
    unsigned version;
    const char *tls;
    int raised;
  } rows[] = {
      {0x074400, "OpenSSL/1.1.1f", 1},   {0x075100, "GnuTLS/3.7.3", 1},
      {0x075701, "OpenSSL/3.0.7", 1},    {0x074400, NULL, 1},
      {0x075800, "OpenSSL/3.0.8", 0},    {0x075801, "OpenSSL/3.0.22", 0},
      {0x080701, "LibreSSL/3.3.6", 0},   {0x080500, "GnuTLS/3.8.3", 0},
      {0x080500, "NSS/3.90", 1},         {0x080500, "mbedTLS/2.28", 1},
      {0x080500, "wolfSSL/5.6", 1},      {0x080500, "(OpenSSL/3.0) NSS/3", 1},
      {0x080500, "SecureTransport", 1},  {0x080500, NULL, 0},
      {0x080500, "an OpenSSL/3.0.8", 1},
  };
  size_t i;
  for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
    assert(ofox_sigpipe_raised_by(rows[i].version, rows[i].tls) ==
           rows[i].raised);
}

static void test_always(void) {
  struct ofox_sigpipe s = {0};
  s.always = 1;
  ofox_sigpipe_enter(&s);
  assert(is_blocked());
  write_to_none();
  ofox_sigpipe_enter(&s);
  write_to_none();
  ofox_sigpipe_leave(&s);
  assert(is_blocked());
  errno = ENOENT;
  ofox_sigpipe_leave(&s);
  assert(errno == ENOENT && !is_blocked() && !is_pending());
}

static void test_on_demand(void) {
  struct ofox_sigpipe s = {0};
  ofox_sigpipe_hold(&s);
  assert(!is_blocked());
  ofox_sigpipe_enter(&s);
  assert(!is_blocked());
  ofox_sigpipe_enter(&s);
  ofox_sigpipe_hold(&s);
  ofox_sigpipe_hold(&s);
  assert(is_blocked());
  write_to_none();
  ofox_sigpipe_leave(&s);
  assert(is_blocked());
  ofox_sigpipe_leave(&s);
  assert(!is_blocked() && !is_pending());
  ofox_sigpipe_enter(&s);
  ofox_sigpipe_leave(&s);
  assert(!is_blocked());
}

/* What the program has blocked and not taken stays. */
static void test_of_the_program(void) {
  struct ofox_sigpipe s = {0};
  sigset_t pipe_set, old;
  int which;
  s.always = 1;
  sigemptyset(&pipe_set);
  sigaddset(&pipe_set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
  write_to_none();
  ofox_sigpipe_enter(&s);
  write_to_none();
  ofox_sigpipe_leave(&s);
  assert(is_blocked() && is_pending());
  sigwait(&pipe_set, &which);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* 0 when the child and its own child know that they are not what was before.
 */
static int child_of(unsigned long before) {
  pid_t pid;
  int status;
  unsigned long here = ofox_forks_passed();
  if (here == before)
    return 1;
  pid = fork();
  if (pid == 0)
    _exit(ofox_forks_passed() == here || ofox_forks_passed() == before);
  assert(waitpid(pid, &status, 0) == pid);
  return status != 0 || ofox_forks_passed() != here;
}

static void test_forks(void) {
  unsigned long before;
  pid_t pid;
  int status;
  assert(ofox_forks_watch() == 0 && ofox_forks_watch() == 0);
  before = ofox_forks_passed();
  pid = fork();
  if (pid == 0)
    _exit(child_of(before));
  assert(waitpid(pid, &status, 0) == pid && status == 0);
  assert(ofox_forks_passed() == before);
}

int main(void) {
  signal(SIGPIPE, SIG_DFL);
  test_who_raises();
  test_always();
  test_on_demand();
  test_of_the_program();
  test_forks();
  puts("ok");
  return 0;
}
