#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static struct ofox_socket *list_of(const struct ofox_sockets *s, size_t *n) {
  *n = s->_list.n / sizeof(struct ofox_socket);
  return (struct ofox_socket *)(void *)s->_list.p;
}

void ofox_sockets_init(struct ofox_sockets *s) {
  ofox_buf_init(&s->_list, (size_t)-1);
}

void ofox_sockets_free(struct ofox_sockets *s) {
  ofox_buf_free(&s->_list);
}

/* FNV-1a; below 0, where no port is. */
long ofox_sockets_unix_key(const char *path) {
  unsigned long h = 2166136261UL;
  for (; *path != '\0'; path++)
    h = ((h ^ (unsigned char)*path) * 16777619UL) & 0xFFFFFFFFUL;
  return -1 - (long)(h & 0x7FFFFFFFUL) / 2;
}

int ofox_sockets_open(struct ofox_sockets *s, int domain, int type,
                      int protocol, const char *path) {
  struct ofox_socket entry;
  int fd;
#ifdef SOCK_CLOEXEC
  fd = socket(domain, type | SOCK_CLOEXEC, protocol);
#else
  fd = socket(domain, type, protocol);
  if (fd >= 0)
    fcntl(fd, F_SETFD, FD_CLOEXEC);
#endif
  if (fd < 0)
    return -1;
  memset(&entry, 0, sizeof(entry));
  entry.fd = fd;
  entry.key = path == NULL ? 0 : ofox_sockets_unix_key(path);
  if (ofox_buf_add(&s->_list, &entry, sizeof(entry)) != 0) {
    close(fd);
    errno = ENOMEM;
    return -1;
  }
  return fd;
}

void ofox_sockets_close(struct ofox_sockets *s, int fd) {
  size_t i, n;
  struct ofox_socket *list = list_of(s, &n);
  for (i = 0; i < n; i++) {
    if (list[i].fd == fd) {
      list[i] = list[n - 1];
      s->_list.n -= sizeof(struct ofox_socket);
      break;
    }
  }
  close(fd);
}

void ofox_sockets_abandon(struct ofox_sockets *s) {
  size_t i, n;
  struct ofox_socket *list = list_of(s, &n);
  for (i = 0; i < n; i++)
    close(list[i].fd);
  ofox_buf_clear(&s->_list);
}

/* 0 while the socket is not bound. */
static int port_of(int fd) {
  struct sockaddr_storage a;
  socklen_t n = sizeof(a);
  int port = 0;
  memset(&a, 0, sizeof(a));
  if (getsockname(fd, (struct sockaddr *)&a, &n) != 0)
    return 0;
  if (a.ss_family == AF_INET)
    port = ntohs(((struct sockaddr_in *)(void *)&a)->sin_port);
  else if (a.ss_family == AF_INET6)
    port = ntohs(((struct sockaddr_in6 *)(void *)&a)->sin6_port);
  return port;
}

static int is_quiet(int fd) {
  char c;
  ssize_t n = recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

/*
** Two connections to one path cannot be told apart, so the first idle one is
*taken and
** any that is not quiet counts.
*/
int ofox_sockets_claim(struct ofox_sockets *s, long key, const void *user) {
  size_t i, n;
  struct ofox_socket *list = list_of(s, &n), *mine = NULL;
  int quiet = 1;
  for (i = 0; i < n; i++) {
    if (list[i].key == 0)
      list[i].key = port_of(list[i].fd);
    if (list[i].key != key)
      continue;
    if (list[i].silent_idle && list[i].user == NULL && !is_quiet(list[i].fd))
      quiet = 0;
    if (mine == NULL || (mine->user != NULL && list[i].user == NULL))
      mine = &list[i];
  }
  if (mine != NULL && quiet)
    mine->user = user;
  return quiet;
}

void ofox_sockets_release(struct ofox_sockets *s, const void *user,
                          int version) {
  size_t i, n;
  struct ofox_socket *list = list_of(s, &n);
  for (i = 0; i < n; i++) {
    if (list[i].user == user) {
      list[i].user = NULL;
      if (version != 0)
        list[i].silent_idle = version < 20;
    }
  }
}
