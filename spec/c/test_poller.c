/*
** The poller against pipes, socket pairs, timers, signals and reused
** descriptor numbers. Prints "ok". From the root of the clone:
**
**   make build/ctest/test_poller.ok
**
** and the same with BUILD=build/poll CPPFLAGS=-DOFOX_USE_POLL.
*/
#define _GNU_SOURCE
#undef NDEBUG
#include "io/poller.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MANY 200

static struct ofox_poll_event events[MANY + 1];

static double now(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static int wait_for(struct ofox_poller *p, double seconds) {
  memset(events, 0, sizeof(events));
  return ofox_poller_wait(p, seconds, events, MANY + 1);
}

/* What happened to 'fd' by now, whether told in one event or in two. */
static int state_of(struct ofox_poller *p, int fd) {
  int i, what = 0, n = wait_for(p, 0);
  assert(n >= 0);
  for (i = 0; i < n; i++) {
    assert(events[i].what != 0);
    if (events[i].fd == fd)
      what |= events[i].what;
  }
  return what;
}

static int readable(int fd) {
  struct pollfd pfd;
  pfd.fd = fd;
  pfd.events = POLLIN;
  return poll(&pfd, 1, 0) == 1;
}

static void make_pipe(int fds[2]) {
  assert(pipe(fds) == 0);
}

static void close_both(int fds[2]) {
  close(fds[0]);
  close(fds[1]);
}

static void put(int fd) {
  assert(write(fd, "x", 1) == 1);
}

static void take(int fd) {
  char c;
  assert(read(fd, &c, 1) == 1);
}

static void test_reading(struct ofox_poller *p) {
  int fds[2];
  make_pipe(fds);
  assert(ofox_poller_set(p, fds[0], OFOX_POLL_IN) == 0);
  assert(wait_for(p, 0) == 0);
  put(fds[1]);
  assert(wait_for(p, INFINITY) == 1);
  assert(events[0].fd == fds[0] && events[0].what == OFOX_POLL_IN);
  assert(wait_for(p, 0) == 1); /* level, not edge */
  if (ofox_poller_fd(p) >= 0)
    assert(readable(ofox_poller_fd(p)));
  take(fds[0]);
  assert(wait_for(p, 0) == 0);
  if (ofox_poller_fd(p) >= 0)
    assert(!readable(ofox_poller_fd(p)));
  put(fds[1]);
  assert(ofox_poller_set(p, fds[0], 0) == 0);
  assert(wait_for(p, 0) == 0);
  close_both(fds);
}

static void test_changing(struct ofox_poller *p) {
  int fds[2];
  assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
  assert(ofox_poller_set(p, fds[0], OFOX_POLL_OUT) == 0);
  assert(state_of(p, fds[0]) == OFOX_POLL_OUT);
  assert(ofox_poller_set(p, fds[0], OFOX_POLL_OUT) == 0);
  assert(state_of(p, fds[0]) == OFOX_POLL_OUT);
  assert(ofox_poller_set(p, fds[0], OFOX_POLL_IN) == 0);
  assert(state_of(p, fds[0]) == 0);
  put(fds[1]);
  assert(state_of(p, fds[0]) == OFOX_POLL_IN);
  assert(ofox_poller_set(p, fds[0], OFOX_POLL_IN | OFOX_POLL_OUT) == 0);
  assert(state_of(p, fds[0]) == (OFOX_POLL_IN | OFOX_POLL_OUT));
  assert(ofox_poller_set(p, fds[0], 0) == 0);
  assert(state_of(p, fds[0]) == 0);
  close_both(fds);
}

/* The other side goes away: told in the terms that were asked for. */
static void test_hang_up(struct ofox_poller *p) {
  int fds[2];
  make_pipe(fds);
  assert(ofox_poller_set(p, fds[0], OFOX_POLL_IN) == 0);
  close(fds[1]);
  assert(state_of(p, fds[0]) == OFOX_POLL_IN);
  assert(ofox_poller_set(p, fds[0], 0) == 0);
  close(fds[0]);
  make_pipe(fds);
  assert(ofox_poller_set(p, fds[1], OFOX_POLL_OUT) == 0);
  close(fds[0]);
  assert(state_of(p, fds[1]) & OFOX_POLL_OUT);
  assert(!(state_of(p, fds[1]) & OFOX_POLL_IN));
  assert(ofox_poller_set(p, fds[1], 0) == 0);
  close(fds[1]);
}

static void test_removing(struct ofox_poller *p) {
  int fds[2];
  make_pipe(fds);
  assert(ofox_poller_set(p, fds[0], 0) == 0); /* never watched */
  assert(ofox_poller_set(p, fds[0], OFOX_POLL_IN) == 0);
  close_both(fds);
  assert(ofox_poller_set(p, fds[0], 0) == 0); /* closed */
  assert(ofox_poller_set(p, -1, 0) == 0);
  assert(ofox_poller_set(p, fds[0], OFOX_POLL_IN) < 0);
  assert(ofox_poller_set(p, -1, OFOX_POLL_IN) < 0);
  assert(wait_for(p, 0) == 0);
}

/* A number is closed and given to another pipe, said before or not. */
static void test_reuse(struct ofox_poller *p, int removed) {
  int a[2], b[2], fd;
  make_pipe(a);
  fd = a[0];
  put(a[1]);
  assert(ofox_poller_set(p, fd, OFOX_POLL_IN) == 0);
  if (removed)
    assert(ofox_poller_set(p, fd, 0) == 0);
  close_both(a);
  assert(removed || wait_for(p, 0) == 0);
  make_pipe(b);
  if (b[0] != fd) {
    assert(dup2(b[0], fd) == fd);
    close(b[0]);
  }
  assert(ofox_poller_set(p, fd, OFOX_POLL_IN) == 0);
  assert(state_of(p, fd) == 0);
  put(b[1]);
  assert(state_of(p, fd) == OFOX_POLL_IN);
  assert(ofox_poller_set(p, fd, OFOX_POLL_IN) == 0);
  assert(wait_for(p, 0) == 1);
  assert(ofox_poller_set(p, fd, 0) == 0);
  assert(wait_for(p, 0) == 0);
  close(fd);
  close(b[1]);
}

static void test_arming(struct ofox_poller *p) {
  double t = now();
  ofox_poller_arm(p, 0.005);
  ofox_poller_arm(p, 0.005);
  assert(wait_for(p, 10) == 0);
  assert(now() - t >= 0.005 - 1e-4 && now() - t < 5);
  ofox_poller_arm(p, 0.002);
  ofox_poller_arm(p, INFINITY);
  t = now();
  assert(wait_for(p, 0.005) == 0);
  assert(now() - t >= 0.005);
  ofox_poller_arm(p, 1e300);
  assert(wait_for(p, 0) == 0);
  ofox_poller_arm(p, NAN); /* at once, and later ones win again */
  assert(wait_for(p, INFINITY) == 0);
  ofox_poller_arm(p, 30);
  ofox_poller_arm(p, 0.001);
  assert(wait_for(p, INFINITY) == 0);
  ofox_poller_arm(p, -1);
  assert(wait_for(p, INFINITY) == 0);
  t = now();
  assert(wait_for(p, 0.003) == 0); /* the armed time is spent */
  assert(now() - t >= 0.003);
}

static void test_armed_descriptor(struct ofox_poller *p) {
  struct pollfd pfd;
  int i;
  pfd.fd = ofox_poller_fd(p);
  pfd.events = POLLIN;
  if (pfd.fd < 0)
    return;
  assert(!readable(pfd.fd));
  ofox_poller_arm(p, 0.001);
  assert(poll(&pfd, 1, 10000) == 1);
  ofox_poller_arm(p, 30); /* fired, but is no longer meant */
  assert(!readable(pfd.fd));
  for (i = 0; i < 3; i++)
    ofox_poller_arm(p, 0);
  assert(poll(&pfd, 1, 10000) == 1);
  ofox_poller_arm(p, 0);
  assert(readable(pfd.fd));
  assert(wait_for(p, 0) == 0);
  assert(!readable(pfd.fd));
  ofox_poller_arm(p, 0);
  assert(poll(&pfd, 1, 10000) == 1);
  ofox_poller_arm(p, INFINITY);
  assert(!readable(pfd.fd));
}

/* The armed time and a socket at once: only the socket is told. */
static void test_timer_beside_socket(struct ofox_poller *p) {
  int fds[2], i;
  double t = now();
  make_pipe(fds);
  put(fds[1]);
  assert(ofox_poller_set(p, fds[0], OFOX_POLL_IN) == 0);
  ofox_poller_arm(p, 0);
  while (now() - t < 0.001)
    continue;
  assert(wait_for(p, INFINITY) == 1 && events[0].fd == fds[0]);
  ofox_poller_arm(p, 0);
  for (i = 0; i < 4; i++)
    assert(ofox_poller_wait(p, 0, events, 1) >= 0);
  assert(ofox_poller_wait(p, 0, events, 1) == 1);
  assert(ofox_poller_wait(p, 0, events, 0) == 0);
  assert(ofox_poller_set(p, fds[0], 0) == 0);
  close_both(fds);
}

static void test_waiting(struct ofox_poller *p) {
  static const double waits[] = {1e-12, 1e-6, 0.0004, 0.001, 0.0199, 0.021};
  double best = 1, t, took;
  size_t i;
  int k;
  for (i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
    t = now();
    assert(wait_for(p, waits[i]) == 0);
    assert(now() - t >= waits[i] - 1e-6);
  }
  for (k = 0; k < 50; k++) {
    t = now();
    assert(wait_for(p, 0.0004) == 0);
    took = now() - t;
    best = took < best ? took : best;
  }
  assert(best < (ofox_poller_fd(p) >= 0 ? 0.0009 : 0.005));
  assert(wait_for(p, -1) == 0);
  assert(wait_for(p, NAN) == 0);
  assert(wait_for(p, -INFINITY) == 0);
}

static void on_alarm(int sig) {
  (void)sig;
}

static void alarm_in(long microseconds) {
  struct itimerval it;
  memset(&it, 0, sizeof(it));
  it.it_value.tv_usec = microseconds;
  assert(setitimer(ITIMER_REAL, &it, NULL) == 0);
}

static void test_signals(struct ofox_poller *p) {
  static const double waits[] = {0.019, 5, 1e300, INFINITY};
  struct sigaction sa;
  size_t i;
  memset(&sa, 0, sizeof(sa));
  sa.sa_handler = on_alarm;
  sa.sa_flags = SA_RESTART; /* waiting is interrupted nevertheless */
  assert(sigaction(SIGALRM, &sa, NULL) == 0);
  for (i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
    alarm_in(3000);
    errno = 0;
    assert(wait_for(p, waits[i]) == -1 && errno == EINTR);
  }
  ofox_poller_arm(p, 0.01);
  alarm_in(2000);
  assert(wait_for(p, INFINITY) == -1 && errno == EINTR);
  assert(wait_for(p, INFINITY) == 0); /* the armed time still comes */
}

/* More is ready than fits: each gets its turn. */
static void test_many(struct ofox_poller *p, size_t max) {
  static int pipes[MANY][2];
  int seen[MANY] = {0}, i, k, n, rounds, left = MANY;
  for (i = 0; i < MANY; i++) {
    make_pipe(pipes[i]);
    put(pipes[i][1]);
    assert(ofox_poller_set(p, pipes[i][0], OFOX_POLL_IN) == 0);
  }
  for (rounds = 0; left > 0 && rounds < 4 * MANY; rounds++) {
    n = ofox_poller_wait(p, 0, events, max);
    assert(n > 0 && (size_t)n <= max);
    for (i = 0; i < n; i++) {
      for (k = 0; pipes[k][0] != events[i].fd; k++)
        assert(k < MANY - 1);
      left -= !seen[k];
      seen[k] = 1;
    }
  }
  assert(left == 0);
  for (i = 0; i < MANY; i++) {
    if (i % 2 == 0)
      assert(ofox_poller_set(p, pipes[i][0], 0) == 0);
    close_both(pipes[i]);
  }
  assert(wait_for(p, 0) == 0);
}

/* They are not handed on to programs that the host starts, and not leaked. */
static void test_descriptors(void) {
  int fd, open_before[64];
  struct ofox_poller *p;
  for (fd = 0; fd < 64; fd++)
    open_before[fd] = fcntl(fd, F_GETFD) >= 0;
  p = ofox_poller_new();
  assert(p != NULL && ofox_poller_open(p) == 0 && ofox_poller_open(p) == 0);
  for (fd = 0; fd < 64; fd++) {
    int flags = fcntl(fd, F_GETFD);
    assert(open_before[fd] || flags < 0 || (flags & FD_CLOEXEC));
  }
  ofox_poller_delete(p);
  for (fd = 0; fd < 64; fd++)
    assert(open_before[fd] == (fcntl(fd, F_GETFD) >= 0));
  ofox_poller_delete(NULL);
}

/* Without descriptors it waits, and works once there are some again. */
static void test_want(void) {
  struct ofox_poller *p = ofox_poller_new();
  struct rlimit most, none;
  assert(getrlimit(RLIMIT_NOFILE, &most) == 0);
  none = most;
  none.rlim_cur = 3;
  assert(setrlimit(RLIMIT_NOFILE, &none) == 0);
#ifndef OFOX_USE_POLL
  assert(ofox_poller_open(p) < 0 && errno == EMFILE);
  assert(ofox_poller_fd(p) == -1);
  assert(ofox_poller_set(p, 0, OFOX_POLL_IN) < 0);
#endif
  assert(ofox_poller_set(p, 0, 0) == 0);
  ofox_poller_arm(p, 1);
  assert(wait_for(p, 0.02) == 0);
  assert(setrlimit(RLIMIT_NOFILE, &most) == 0);
  assert(ofox_poller_open(p) == 0);
  test_reading(p);
  ofox_poller_delete(p);
}

int main(void) {
  struct ofox_poller *p;
  alarm(60); /* a wait that never ends is a failure too */
  signal(SIGPIPE, SIG_IGN);
  test_descriptors();
  test_want();
  p = ofox_poller_new();
  assert(p != NULL && ofox_poller_open(p) == 0);
  assert(wait_for(p, 0) == 0);
  test_reading(p);
  test_changing(p);
  test_hang_up(p);
  test_removing(p);
  test_reuse(p, 1);
  test_reuse(p, 0);
  test_arming(p);
  test_armed_descriptor(p);
  test_timer_beside_socket(p);
  test_waiting(p);
  test_many(p, 1);
  test_many(p, 7);
  test_many(p, MANY + 1);
  test_signals(p);
  ofox_poller_delete(p);
  puts("ok");
  return 0;
}
