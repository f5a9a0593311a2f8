#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "io/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* The pair and the files that the lookup of a name takes, and one more. */
#define FEW 5

static struct ofox_socket *list_of(const struct ofox_sockets *s, size_t *n) {
  *n = s->_list.n / sizeof(struct ofox_socket);
  return (struct ofox_socket *)(void *)s->_list.p;
}

/* Where the place of a descriptor is noted; NULL: it never was. */
static size_t *place_of(const struct ofox_sockets *s, int fd) {
  size_t *places = (size_t *)(void *)s->_place.p;
  if (fd < 0 || (size_t)fd >= s->_place.n / sizeof(*places))
    return NULL;
  return &places[fd];
}

static struct ofox_socket *find(const struct ofox_sockets *s, int fd) {
  size_t n, *place = place_of(s, fd);
  struct ofox_socket *list = list_of(s, &n);
  return place == NULL || *place == 0 ? NULL : &list[*place - 1];
}

static struct ofox_socket *held(const struct ofox_sockets *s,
                                const struct ofox_hold *hold) {
  struct ofox_socket *e = find(s, hold->fd);
  return e != NULL && e->nth == hold->nth ? e : NULL;
}

void ofox_sockets_init(struct ofox_sockets *s) {
  ofox_buf_init(&s->_list, (size_t)-1);
  ofox_buf_init(&s->_place, (size_t)-1);
  s->_opened = 0;
}

void ofox_sockets_free(struct ofox_sockets *s) {
  ofox_buf_free(&s->_list);
  ofox_buf_free(&s->_place);
}

/* FNV-1a */

#define HASH_START 2166136261UL

static unsigned long hash_byte(unsigned long h, unsigned c) {
  return ((h ^ c) * 16777619UL) & 0xFFFFFFFFUL;
}

/* The end of the text counts, so that two do not run into each other. */
static unsigned long hash_text(unsigned long h, const char *text) {
  for (; *text != '\0'; text++)
    h = hash_byte(h, (unsigned char)*text);
  return hash_byte(h, 0);
}

static unsigned long hash_port(unsigned long h, int port) {
  return hash_byte(hash_byte(h, (unsigned)port & 0xFF),
                   (unsigned)port >> 8 & 0xFF);
}

unsigned long ofox_sockets_unix_key(const char *path) {
  return hash_text(HASH_START, path) | 1;
}

unsigned long ofox_sockets_key(const char *local, int local_port,
                               const char *peer, int peer_port) {
  unsigned long h = hash_port(hash_text(HASH_START, local), local_port);
  return hash_port(hash_text(h, peer), peer_port) | 1;
}

/* Life */

static int add(struct ofox_sockets *s, const struct ofox_socket *entry) {
  size_t want = ((size_t)entry->fd + 1) * sizeof(size_t);
  static const size_t NONE = 0;
  while (s->_place.n < want) {
    if (ofox_buf_add(&s->_place, &NONE, sizeof(NONE)) != 0)
      return -1;
  }
  if (ofox_buf_add(&s->_list, entry, sizeof(*entry)) != 0)
    return -1;
  *place_of(s, entry->fd) = s->_list.n / sizeof(*entry);
  return 0;
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
  entry.nth = ++s->_opened;
  entry.key = path == NULL ? 0 : ofox_sockets_unix_key(path);
  if (add(s, &entry) != 0) {
    close(fd);
    errno = ENOMEM;
    return -1;
  }
  return fd;
}

int ofox_sockets_are_short(void) {
  int fds[FEW], n = 0, is_short = 0;
  while (n < FEW && (fds[n] = socket(AF_UNIX, SOCK_STREAM, 0)) >= 0)
    n++;
  if (n < FEW)
    is_short = errno == EMFILE || errno == ENFILE;
  while (n > 0)
    close(fds[--n]);
  return is_short;
}

void ofox_sockets_close(struct ofox_sockets *s, int fd) {
  size_t n, *place = place_of(s, fd);
  struct ofox_socket *list = list_of(s, &n);
  if (place != NULL && *place != 0) {
    size_t hole = *place - 1;
    *place = 0;
    if (hole != n - 1) {
      list[hole] = list[n - 1];
      *place_of(s, list[hole].fd) = hole + 1;
    }
    s->_list.n -= sizeof(struct ofox_socket);
  }
  close(fd);
}

void ofox_sockets_abandon(struct ofox_sockets *s) {
  size_t i, n;
  struct ofox_socket *list = list_of(s, &n);
  for (i = 0; i < n; i++)
    close(list[i].fd);
  ofox_buf_clear(&s->_list);
  ofox_buf_clear(&s->_place);
}

/* Use */

/* The port of an address, and its text; 0: it has none. */
static int read_address(const struct sockaddr_storage *a, char *text,
                        socklen_t size) {
  const void *all = a;
  const struct sockaddr_in *in = all;
  const struct sockaddr_in6 *in6 = all;
  text[0] = '\0';
  if (a->ss_family == AF_INET) {
    inet_ntop(AF_INET, &in->sin_addr, text, size);
    return ntohs(in->sin_port);
  }
  if (a->ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &in6->sin6_addr, text, size);
    return ntohs(in6->sin6_port);
  }
  return 0;
}

/* 0 while the socket is not connected. */
static unsigned long key_of(int fd) {
  struct sockaddr_storage a;
  socklen_t n = sizeof(a);
  char local[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN];
  int local_port, peer_port;
  memset(&a, 0, sizeof(a));
  if (getsockname(fd, (struct sockaddr *)&a, &n) != 0)
    return 0;
  local_port = read_address(&a, local, sizeof(local));
  n = sizeof(a);
  if (local_port == 0 || getpeername(fd, (struct sockaddr *)&a, &n) != 0)
    return 0;
  peer_port = read_address(&a, peer, sizeof(peer));
  return ofox_sockets_key(local, local_port, peer, peer_port);
}

static int is_quiet(int fd) {
  char c;
  ssize_t n = recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

int ofox_sockets_is_quiet(const struct ofox_sockets *s,
                          const struct ofox_hold *hold) {
  return held(s, hold) != NULL && is_quiet(hold->fd);
}

/* Does it carry the connection with that key? */
static int carries(struct ofox_socket *e, unsigned long key) {
  if (e->key == 0)
    e->key = key_of(e->fd);
  return e->key == key;
}

static enum ofox_claim take(struct ofox_socket *e, struct ofox_hold *hold) {
  hold->fd = e->fd;
  hold->nth = e->nth;
  e->shared |= e->users++ > 0;
  return e->shared ? OFOX_CLAIM_SHARED : OFOX_CLAIM_OWN;
}

/*
** Connections to one path cannot be told apart: the first idle one is taken,
** and any that is not fit counts.
*/
enum ofox_claim ofox_sockets_claim(struct ofox_sockets *s, unsigned long key,
                                   int opened, struct ofox_hold *hold) {
  size_t i, n;
  struct ofox_socket *list = list_of(s, &n), *mine = find(s, opened);
  memset(hold, 0, sizeof(*hold));
  if (mine != NULL && carries(mine, key))
    return take(mine, hold);
  mine = NULL;
  for (i = 0; i < n; i++) {
    struct ofox_socket *e = &list[i];
    if (!carries(e, key))
      continue;
    if (opened < 0 &&
        (e->silenced || (e->silent_idle && e->users == 0 && !is_quiet(e->fd))))
      return OFOX_CLAIM_STRAY;
    if (mine == NULL || (mine->users > 0 && e->users == 0))
      mine = e;
  }
  return mine == NULL ? OFOX_CLAIM_OWN : take(mine, hold);
}

/* libcurl finds out when it looks at it again. */
static void hang_up(const struct ofox_socket *e) {
  if (e->silenced && e->users == 0)
    shutdown(e->fd, SHUT_RDWR);
}

void ofox_sockets_release(struct ofox_sockets *s, struct ofox_hold *hold,
                          int version) {
  struct ofox_socket *e = held(s, hold);
  memset(hold, 0, sizeof(*hold));
  if (e == NULL || e->users == 0)
    return;
  e->users--;
  if (version != 0) {
    e->silent_idle = version < 20;
    e->shared = version >= 20;
  }
  hang_up(e);
}

void ofox_sockets_hear(struct ofox_sockets *s, int fd, double now) {
  struct ofox_socket *e = find(s, fd);
  if (e != NULL)
    e->heard = now;
}

double ofox_sockets_heard(const struct ofox_sockets *s,
                          const struct ofox_hold *hold) {
  const struct ofox_socket *e = held(s, hold);
  return e == NULL ? INFINITY : e->heard;
}

int ofox_sockets_silence(struct ofox_sockets *s,
                         const struct ofox_hold *hold) {
  struct ofox_socket *e = held(s, hold);
  if (e == NULL)
    return 0;
  e->silenced = 1;
  hang_up(e);
  return e->users > 0;
}

size_t ofox_sockets_count(const struct ofox_sockets *s) {
  return s->_list.n / sizeof(struct ofox_socket);
}
