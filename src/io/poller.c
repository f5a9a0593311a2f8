#define _GNU_SOURCE /* ppoll; without it -std=c99 hides clock_gettime */
#include "io/poller.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* OFOX_USE_POLL forces poll(2) where something better is available. */
#if defined(OFOX_USE_POLL)
#define POLLER_POLL
#elif defined(__linux__)
#define POLLER_EPOLL
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__) ||    \
    defined(__OpenBSD__) || defined(__DragonFly__)
#define POLLER_KQUEUE
#else
#define POLLER_POLL
#endif

/* Moments closer than this many seconds count as one. */
#define SLACK 1e-4

/* Seconds; a longer wait ends early, only an endless one has no end. */
#define LONGEST 1e6

static double now(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* NaN is 0: a caller that polls again can still make progress. */
static double tame(double seconds) {
  if (!(seconds > 0))
    return 0;
  return seconds > LONGEST && seconds < INFINITY ? LONGEST : seconds;
}

/*
** Does a timer set to 'armed' serve for the moment 'at'? If both have passed
** it has fired already, and stays readable until it is drained.
*/
static int serves(double armed, double at, double t) {
  if (armed <= t && at <= t)
    return 1;
  return armed == at || fabs(armed - at) < SLACK;
}

#if defined(POLLER_EPOLL) || defined(POLLER_POLL)
/* Rounded up, so that no wait ends a little too early and spins. */
static int milliseconds(double seconds) {
  return seconds < INFINITY ? (int)ceil(seconds * 1e3) : -1;
}
#endif

#if defined(POLLER_EPOLL) || defined(POLLER_KQUEUE)

#define BATCH 128 /* events taken from the kernel at once */

static int batch(size_t max) {
  return max == 0 ? 1 : max < BATCH ? (int)max : BATCH;
}

/* Rounded up to the nanosecond. */
static struct timespec timespec_of(double seconds) {
  struct timespec ts;
  ts.tv_sec = (time_t)seconds;
  ts.tv_nsec = (long)ceil((seconds - (double)ts.tv_sec) * 1e9);
  if (ts.tv_nsec >= 1000000000L) {
    ts.tv_sec++;
    ts.tv_nsec -= 1000000000L;
  }
  return ts;
}

#endif

#if defined(POLLER_EPOLL)

#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#define PRECISE 0.02 /* seconds below which a millisecond more matters */

struct ofox_poller {
  int ep;
  int timer;
  double armed; /* a moment of now(); INFINITY: the timer is off */
};

/* Stores the mask with the number: errors are reported as it. */
static uint64_t pack(int fd, int what) {
  return (uint64_t)(uint32_t)what << 32 | (uint32_t)fd;
}

static int ctl(int ep, int op, int fd, int what) {
  struct epoll_event ev;
  memset(&ev, 0, sizeof(ev));
  if (what & OFOX_POLL_IN)
    ev.events |= EPOLLIN;
  if (what & OFOX_POLL_OUT)
    ev.events |= EPOLLOUT;
  ev.data.u64 = pack(fd, what);
  return epoll_ctl(ep, op, fd, &ev);
}

struct ofox_poller *ofox_poller_new(void) {
  struct ofox_poller *p = malloc(sizeof(*p));
  if (p == NULL)
    return NULL;
  p->armed = INFINITY;
  p->ep = p->timer = -1;
  return p;
}

static void close_both(struct ofox_poller *p) {
  if (p->timer >= 0)
    close(p->timer);
  if (p->ep >= 0)
    close(p->ep);
  p->ep = p->timer = -1;
}

void ofox_poller_delete(struct ofox_poller *p) {
  if (p == NULL)
    return;
  close_both(p);
  free(p);
}

int ofox_poller_open(struct ofox_poller *p) {
  int e;
  if (p->ep >= 0)
    return 0;
  p->ep = epoll_create1(EPOLL_CLOEXEC);
  if (p->ep >= 0)
    p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (p->timer >= 0 && ctl(p->ep, EPOLL_CTL_ADD, p->timer, OFOX_POLL_IN) == 0)
    return 0;
  e = errno;
  close_both(p);
  errno = e;
  return -1;
}

/*
** Keeps no list: the kernel drops closed descriptors, so only it knows what is
** watched. Adding is tried first, for most sockets are new to the poller or
** were removed after their last use.
*/
int ofox_poller_set(struct ofox_poller *p, int fd, int what) {
  if (what == 0) {
    if (epoll_ctl(p->ep, EPOLL_CTL_DEL, fd, &(struct epoll_event){0}) == 0)
      return 0;
    return errno == ENOENT || errno == EBADF ? 0 : -1;
  }
  if (ctl(p->ep, EPOLL_CTL_ADD, fd, what) == 0)
    return 0;
  return errno == EEXIST ? ctl(p->ep, EPOLL_CTL_MOD, fd, what) : -1;
}

void ofox_poller_arm(struct ofox_poller *p, double seconds) {
  struct itimerspec spec;
  double t = now(), at;
  seconds = tame(seconds);
  at = t + seconds;
  if (p->ep < 0 || serves(p->armed, at, t))
    return;
  memset(&spec, 0, sizeof(spec));
  if (seconds < INFINITY) /* zero would disarm it */
    spec.it_value = timespec_of(seconds > 1e-9 ? seconds : 1e-9);
  timerfd_settime(p->timer, 0, &spec, NULL);
  p->armed = at;
}

int ofox_poller_fd(const struct ofox_poller *p) {
  return p->ep;
}

static int happened(uint32_t events, int asked) {
  int what = 0;
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
    what |= OFOX_POLL_IN;
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
    what |= OFOX_POLL_OUT;
  what &= asked;
  if ((events & EPOLLERR) || what == 0)
    what |= OFOX_POLL_ERR;
  return what;
}

/* As poll(2), which can watch an epoll descriptor, but in nanoseconds. */
static int nap(int fd, double seconds) {
  struct pollfd pfd;
  struct timespec ts = timespec_of(seconds);
  pfd.fd = fd;
  pfd.events = POLLIN;
  return ppoll(&pfd, 1, &ts, NULL);
}

static void drain(struct ofox_poller *p) {
  uint64_t times;
  if (read(p->timer, &times, sizeof(times)) > 0)
    p->armed = INFINITY;
}

int ofox_poller_wait(struct ofox_poller *p, double seconds,
                     struct ofox_poll_event *events, size_t max) {
  struct epoll_event got[BATCH];
  int i, n;
  size_t filled = 0;
  seconds = tame(seconds);
  if (p->ep < 0)
    return poll(NULL, 0, milliseconds(seconds));
  if (seconds > 0 && seconds < PRECISE) {
    n = nap(p->ep, seconds);
    if (n <= 0)
      return n;
    seconds = 0;
  }
  n = epoll_wait(p->ep, got, batch(max), milliseconds(seconds));
  if (n < 0)
    return -1;
  for (i = 0; i < n; i++) {
    int fd = (int)(got[i].data.u64 & UINT32_MAX);
    if (fd == p->timer) {
      drain(p);
    }
    else if (filled < max) {
      events[filled].fd = fd;
      events[filled].what =
          happened(got[i].events, (int)(got[i].data.u64 >> 32));
      filled++;
    }
  }
  return (int)filled;
}

#elif defined(POLLER_KQUEUE)

#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>

#define TIMER 1 /* its ident; filters have number spaces of their own */

#ifdef NOTE_USECONDS
#define TIMER_UNIT NOTE_USECONDS
#define TIMER_PER_SECOND 1e6
#else
#define TIMER_UNIT 0
#define TIMER_PER_SECOND 1e3
#endif

struct ofox_poller {
  int kq;
  double armed; /* a moment of now(); INFINITY: the timer is off */
};

struct ofox_poller *ofox_poller_new(void) {
  struct ofox_poller *p = malloc(sizeof(*p));
  if (p == NULL)
    return NULL;
  p->armed = INFINITY;
  p->kq = -1;
  return p;
}

int ofox_poller_open(struct ofox_poller *p) {
  if (p->kq < 0)
    p->kq = kqueue();
  if (p->kq < 0)
    return -1;
  fcntl(p->kq, F_SETFD, FD_CLOEXEC);
  return 0;
}

void ofox_poller_delete(struct ofox_poller *p) {
  if (p == NULL)
    return;
  if (p->kq >= 0)
    close(p->kq);
  free(p);
}

static int watch(struct ofox_poller *p, int fd, short filter, int on) {
  struct kevent ev;
  EV_SET(&ev, (uintptr_t)fd, filter, on ? EV_ADD : EV_DELETE, 0, 0, 0);
  if (kevent(p->kq, &ev, 1, NULL, 0, NULL) == 0)
    return 0;
  return !on && (errno == ENOENT || errno == EBADF) ? 0 : -1;
}

int ofox_poller_set(struct ofox_poller *p, int fd, int what) {
  if (watch(p, fd, EVFILT_READ, what & OFOX_POLL_IN) != 0)
    return -1;
  return watch(p, fd, EVFILT_WRITE, what & OFOX_POLL_OUT);
}

/* Deleted first: not every system takes the new time of a known timer. */
void ofox_poller_arm(struct ofox_poller *p, double seconds) {
  struct kevent ev;
  double units, t = now(), at;
  seconds = tame(seconds);
  at = t + seconds;
  if (p->kq < 0 || serves(p->armed, at, t))
    return;
  if (p->armed < INFINITY) {
    EV_SET(&ev, TIMER, EVFILT_TIMER, EV_DELETE, 0, 0, 0);
    kevent(p->kq, &ev, 1, NULL, 0, NULL);
  }
  p->armed = at;
  if (at == INFINITY)
    return;
  units = ceil(seconds * TIMER_PER_SECOND);
  if (units < 1) /* 0 is refused by some */
    units = 1;
  if (units > (double)INT32_MAX) /* fires early: a wake-up for nothing */
    units = (double)INT32_MAX;
  EV_SET(&ev, TIMER, EVFILT_TIMER, EV_ADD | EV_ONESHOT, TIMER_UNIT,
         (int32_t)units, 0);
  kevent(p->kq, &ev, 1, NULL, 0, NULL);
}

int ofox_poller_fd(const struct ofox_poller *p) {
  return p->kq;
}

/* Reading and writing are two events here, also of the same socket. */
int ofox_poller_wait(struct ofox_poller *p, double seconds,
                     struct ofox_poll_event *events, size_t max) {
  struct kevent got[BATCH];
  struct timespec ts;
  int i, n;
  size_t filled = 0;
  seconds = tame(seconds);
  if (seconds < INFINITY || p->kq < 0)
    ts = timespec_of(seconds < INFINITY ? seconds : LONGEST);
  if (p->kq < 0)
    return nanosleep(&ts, NULL);
  n = kevent(p->kq, NULL, 0, got, batch(max), seconds < INFINITY ? &ts : NULL);
  if (n < 0)
    return -1;
  for (i = 0; i < n; i++) {
    if (got[i].filter == EVFILT_TIMER) {
      p->armed = INFINITY;
    }
    else if (filled < max) {
      int what = got[i].filter == EVFILT_READ ? OFOX_POLL_IN : OFOX_POLL_OUT;
      if ((got[i].flags & EV_EOF) && got[i].fflags != 0)
        what |= OFOX_POLL_ERR;
      events[filled].fd = (int)got[i].ident;
      events[filled].what = what;
      filled++;
    }
  }
  return (int)filled;
}

#else

#include <poll.h>

#define FIRST_SIZE 16

struct ofox_poller {
  struct pollfd *fds;
  size_t n, size;
  size_t turn;  /* where the next scan begins, so that none starves */
  double armed; /* a moment of now(); INFINITY: none */
};

struct ofox_poller *ofox_poller_new(void) {
  struct ofox_poller *p = calloc(1, sizeof(*p));
  if (p != NULL)
    p->armed = INFINITY;
  return p;
}

void ofox_poller_delete(struct ofox_poller *p) {
  if (p == NULL)
    return;
  free(p->fds);
  free(p);
}

int ofox_poller_open(struct ofox_poller *p) {
  (void)p;
  return 0;
}

static int grow(struct ofox_poller *p) {
  struct pollfd *fds;
  size_t size = p->size == 0 ? FIRST_SIZE : p->size * 2;
  if (size > SIZE_MAX / sizeof(*fds)) {
    errno = ENOMEM;
    return -1;
  }
  fds = realloc(p->fds, size * sizeof(*fds));
  if (fds == NULL)
    return -1;
  p->fds = fds;
  p->size = size;
  return 0;
}

int ofox_poller_set(struct ofox_poller *p, int fd, int what) {
  size_t i = 0;
  while (i < p->n && p->fds[i].fd != fd)
    i++;
  if (what == 0) {
    if (i < p->n)
      p->fds[i] = p->fds[--p->n];
    return 0;
  }
  if (fd < 0 || fcntl(fd, F_GETFD) < 0) { /* as the other back ends do */
    errno = EBADF;
    return -1;
  }
  if (i == p->size && grow(p) != 0)
    return -1;
  if (i == p->n)
    p->n++;
  memset(&p->fds[i], 0, sizeof(p->fds[i]));
  p->fds[i].fd = fd;
  if (what & OFOX_POLL_IN)
    p->fds[i].events |= POLLIN;
  if (what & OFOX_POLL_OUT)
    p->fds[i].events |= POLLOUT;
  return 0;
}

void ofox_poller_arm(struct ofox_poller *p, double seconds) {
  double t = now(), at = t + tame(seconds);
  if (!serves(p->armed, at, t))
    p->armed = at;
}

int ofox_poller_fd(const struct ofox_poller *p) {
  (void)p;
  return -1;
}

static int happened(const struct pollfd *f) {
  int what = 0;
  if (f->revents & (POLLIN | POLLHUP | POLLERR))
    what |= f->events & POLLIN ? OFOX_POLL_IN : 0;
  if (f->revents & (POLLOUT | POLLHUP | POLLERR))
    what |= f->events & POLLOUT ? OFOX_POLL_OUT : 0;
  if ((f->revents & POLLERR) || what == 0)
    what |= OFOX_POLL_ERR;
  return what;
}

/* Forgets descriptors closed without notice, as a kernel would. */
static void drop_closed(struct ofox_poller *p) {
  size_t i = 0;
  while (i < p->n) {
    if (p->fds[i].revents & POLLNVAL)
      p->fds[i] = p->fds[--p->n];
    else
      i++;
  }
}

int ofox_poller_wait(struct ofox_poller *p, double seconds,
                     struct ofox_poll_event *events, size_t max) {
  double t = now(), left;
  size_t k, filled = 0;
  seconds = tame(seconds);
  left = p->armed > t ? p->armed - t : 0;
  if (poll(p->fds, (nfds_t)p->n,
           milliseconds(left < seconds ? left : seconds)) < 0)
    return -1;
  if (p->armed <= now())
    p->armed = INFINITY;
  drop_closed(p);
  for (k = 0; k < p->n && filled < max; k++) {
    const struct pollfd *f = &p->fds[(p->turn + k) % p->n];
    if (f->revents == 0)
      continue;
    events[filled].fd = f->fd;
    events[filled].what = happened(f);
    filled++;
  }
  p->turn = p->n == 0 ? 0 : (p->turn + k) % p->n;
  return (int)filled;
}

#endif
