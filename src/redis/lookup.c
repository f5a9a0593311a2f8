#define _GNU_SOURCE /* getaddrinfo, pthread_sigmask */
#include "redis/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* Owner and thread share it; the one that leaves last frees it. */
struct ofox_lookup {
  pthread_mutex_t lock;
  int owners;
  int ended;
  int rc; /* of getaddrinfo */
  size_t n;
  char addresses[OFOX_LOOKUP_MOST][OFOX_LOOKUP_SIZE];
  int reads;  /* the owner's end of a pipe */
  int writes; /* the thread's */
  char host[];
};

int ofox_lookup_is_address(const char *host) {
  struct in6_addr any;
  return inet_pton(AF_INET, host, &any) == 1 ||
         inet_pton(AF_INET6, host, &any) == 1;
}

static void leave(struct ofox_lookup *l) {
  int owners;
  pthread_mutex_lock(&l->lock);
  owners = --l->owners;
  pthread_mutex_unlock(&l->lock);
  if (owners > 0)
    return;
  pthread_mutex_destroy(&l->lock);
  free(l);
}

/* The numeric addresses of 'all', each once. */
static void note(struct ofox_lookup *l, const struct addrinfo *all) {
  for (; all != NULL && l->n < OFOX_LOOKUP_MOST; all = all->ai_next) {
    if (getnameinfo(all->ai_addr, all->ai_addrlen, l->addresses[l->n],
                    OFOX_LOOKUP_SIZE, NULL, 0, NI_NUMERICHOST) == 0)
      l->n++;
  }
}

/* A byte tells the owner: a child that was forked meanwhile keeps a copy of
** the pipe's end open. Without an owner it is EPIPE, and no signal. */
static void *run(void *lookup) {
  struct ofox_lookup *l = lookup;
  struct addrinfo hints, *all = NULL;
  int rc, writes = l->writes;
  memset(&hints, 0, sizeof(hints));
  hints.ai_socktype = SOCK_STREAM;
  rc = getaddrinfo(l->host, NULL, &hints, &all);
  pthread_mutex_lock(&l->lock);
  if (rc == 0)
    note(l, all);
  l->rc = rc;
  l->ended = 1;
  pthread_mutex_unlock(&l->lock);
  if (rc == 0)
    freeaddrinfo(all);
  while (write(writes, "", 1) < 0 && errno == EINTR)
    continue;
  close(writes);
  leave(l);
  return NULL;
}

/* With all signals blocked: they are the host's. */
static int start(struct ofox_lookup *l) {
  pthread_t thread;
  sigset_t all, old;
  int rc;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  rc = pthread_create(&thread, NULL, run, l);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (rc != 0)
    return rc;
  pthread_detach(thread);
  return 0;
}

static int open_pipe(struct ofox_lookup *l) {
  int fds[2];
  if (pipe(fds) != 0)
    return errno;
  fcntl(fds[0], F_SETFD, FD_CLOEXEC);
  fcntl(fds[1], F_SETFD, FD_CLOEXEC);
  l->reads = fds[0];
  l->writes = fds[1];
  return 0;
}

struct ofox_lookup *ofox_lookup_new(const char *host) {
  size_t size = strlen(host) + 1;
  struct ofox_lookup *l = calloc(1, sizeof(*l) + size);
  int rc;
  if (l == NULL)
    return NULL;
  memcpy(l->host, host, size);
  l->owners = 2;
  pthread_mutex_init(&l->lock, NULL);
  rc = open_pipe(l);
  if (rc == 0) {
    rc = start(l);
    if (rc == 0)
      return l;
    close(l->reads);
    close(l->writes);
  }
  pthread_mutex_destroy(&l->lock);
  free(l);
  errno = rc;
  return NULL;
}

int ofox_lookup_fd(const struct ofox_lookup *l) {
  return l->reads;
}

int ofox_lookup_take(struct ofox_lookup *l, size_t nth,
                     char address[OFOX_LOOKUP_SIZE], const char **problem) {
  int found = 0;
  pthread_mutex_lock(&l->lock);
  if (l->ended) {
    found = nth < l->n ? 1 : -1;
    if (found > 0)
      memcpy(address, l->addresses[nth], OFOX_LOOKUP_SIZE);
    *problem = l->rc != 0 ? gai_strerror(l->rc) : "the name has no address";
  }
  pthread_mutex_unlock(&l->lock);
  return found;
}

void ofox_lookup_delete(struct ofox_lookup *l) {
  if (l == NULL)
    return;
  close(l->reads);
  leave(l);
}

void ofox_lookup_abandon(struct ofox_lookup *l) {
  if (l == NULL)
    return;
  close(l->reads); /* the thread may have held the lock: its memory stays */
}
