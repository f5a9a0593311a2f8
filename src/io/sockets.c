#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "io/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* The descriptors that resolving a name needs, and one more. */
#define FEW 5

static struct ofox_socket **by_fd(const struct ofox_sockets *s, size_t *n) {
  *n = s->_by_fd.n / sizeof(struct ofox_socket *);
  return (struct ofox_socket **)(void *)s->_by_fd.p;
}

static struct ofox_socket *find(const struct ofox_sockets *s, int fd) {
  size_t n;
  struct ofox_socket **all = by_fd(s, &n);
  return fd < 0 || (size_t)fd >= n ? NULL : all[fd];
}

static struct ofox_socket *held(const struct ofox_sockets *s,
                                const struct ofox_hold *hold) {
  struct ofox_socket *e = find(s, hold->fd);
  return e != NULL && e->nth == hold->nth ? e : NULL;
}

void ofox_sockets_init(struct ofox_sockets *s) {
  ofox_buf_init(&s->_by_fd, (size_t)-1);
  ofox_buf_init(&s->_rows, (size_t)-1);
  s->_unnamed.first = NULL;
  s->_unnamed.end = &s->_unnamed.first;
  s->_count = 0;
  s->_opened = 0;
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

/* Rows */

#define FIRST_ROWS 16 /* a power of 2 */

static struct ofox_socket_row *rows(const struct ofox_sockets *s, size_t *n) {
  *n = s->_rows.n / sizeof(struct ofox_socket_row);
  return (struct ofox_socket_row *)(void *)s->_rows.p;
}

/* Of a key, or of 0. All keys are odd. */
static struct ofox_socket_row *row_of(struct ofox_sockets *s,
                                      unsigned long key) {
  size_t n;
  struct ofox_socket_row *all = rows(s, &n);
  return key == 0 ? &s->_unnamed : &all[(key >> 1) & (n - 1)];
}

static void take_out(struct ofox_sockets *s, struct ofox_socket *e) {
  struct ofox_socket_row *row = row_of(s, e->key);
  *e->_link = e->_next;
  if (e->_next != NULL)
    e->_next->_link = e->_link;
  else
    row->end = e->_link;
}

static int is_looked_at(const struct ofox_socket *e) {
  return e->users == 0 || e->silenced;
}

static void put_in(struct ofox_sockets *s, struct ofox_socket *e) {
  struct ofox_socket_row *row = row_of(s, e->key);
  struct ofox_socket **place = is_looked_at(e) ? &row->first : row->end;
  e->_next = *place;
  e->_link = place;
  *place = e;
  *(e->_next != NULL ? &e->_next->_link : &row->end) = &e->_next;
}

/* Twice as many rows as before, for so many sockets: 0 or OFOX_EMEM. */
static int grow(struct ofox_sockets *s) {
  size_t i, n, old;
  struct ofox_socket **all = by_fd(s, &n);
  struct ofox_socket_row *row;
  size_t want;
  rows(s, &old);
  want = (old == 0 ? FIRST_ROWS : old) * sizeof(*row);
  if (s->_count < old)
    return 0;
  if (ofox_buf_reserve(&s->_rows, want) != 0)
    return OFOX_EMEM;
  s->_rows.n += want;
  row = rows(s, &old);
  for (i = 0; i < old; i++) {
    row[i].first = NULL;
    row[i].end = &row[i].first;
  }
  for (i = 0; i < n; i++) {
    if (all[i] != NULL && all[i]->key != 0)
      put_in(s, all[i]);
  }
  return 0;
}

/* Life */

static void forget(struct ofox_sockets *s, struct ofox_socket *e) {
  size_t n;
  by_fd(s, &n)[e->fd] = NULL;
  take_out(s, e);
  s->_count--;
  free(e);
}

/* Without memory libcurl closes some sockets and does not report it: the
** previous owner of the number is gone. */
static struct ofox_socket *add(struct ofox_sockets *s, int fd,
                               const char *path) {
  static struct ofox_socket *const NONE = NULL;
  struct ofox_socket *e;
  size_t n;
  for (by_fd(s, &n); n <= (size_t)fd; n++) {
    if (ofox_buf_add(&s->_by_fd, &NONE, sizeof(NONE)) != 0)
      return NULL;
  }
  if (by_fd(s, &n)[fd] != NULL)
    forget(s, by_fd(s, &n)[fd]);
  e = grow(s) == 0 ? calloc(1, sizeof(*e)) : NULL;
  if (e == NULL)
    return NULL;
  e->fd = fd;
  e->nth = ++s->_opened;
  e->key = path == NULL ? 0 : ofox_sockets_unix_key(path);
  by_fd(s, &n)[fd] = e;
  put_in(s, e);
  s->_count++;
  return e;
}

void ofox_sockets_free(struct ofox_sockets *s) {
  size_t i, n;
  struct ofox_socket **all = by_fd(s, &n);
  for (i = 0; i < n; i++)
    free(all[i]);
  ofox_buf_free(&s->_by_fd);
  ofox_buf_free(&s->_rows);
  ofox_sockets_init(s);
}

int ofox_sockets_open(struct ofox_sockets *s, int domain, int type,
                      int protocol, const char *path) {
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
  if (add(s, fd, path) == NULL) {
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
  struct ofox_socket *e = find(s, fd);
  if (e != NULL)
    forget(s, e);
  close(fd);
}

void ofox_sockets_abandon(struct ofox_sockets *s) {
  size_t i, n;
  struct ofox_socket **all = by_fd(s, &n);
  for (i = 0; i < n; i++) {
    if (all[i] != NULL)
      ofox_sockets_close(s, (int)i);
  }
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

/* Determines the key of one that has none, if it is connected by now. */
static void name(struct ofox_sockets *s, struct ofox_socket *e) {
  unsigned long key = e->key == 0 ? key_of(e->fd) : 0;
  if (key == 0)
    return;
  take_out(s, e);
  e->key = key;
  put_in(s, e);
}

static enum ofox_claim take(struct ofox_sockets *s, struct ofox_socket *e,
                            struct ofox_hold *hold) {
  hold->fd = e->fd;
  hold->nth = e->nth;
  e->shared |= e->users > 0;
  take_out(s, e);
  e->users++;
  put_in(s, e);
  return e->shared ? OFOX_CLAIM_SHARED : OFOX_CLAIM_OWN;
}

/* The first idle one with that key, else any, or NULL; '*stray': an existing
** connection is requested, and one of them is not usable. */
static struct ofox_socket *look(struct ofox_sockets *s, unsigned long key,
                                int old, int *stray) {
  struct ofox_socket *e, *mine = NULL;
  *stray = 0;
  for (e = row_of(s, key)->first; e != NULL; e = e->_next) {
    if (e->key != key)
      continue;
    *stray |= old && (e->silenced ||
                      (e->silent_idle && e->users == 0 && !is_quiet(e->fd)));
    if (*stray || (mine != NULL && !is_looked_at(e)))
      break;
    if (mine == NULL || (mine->users > 0 && e->users == 0))
      mine = e;
  }
  return mine;
}

/*
** Connections to one path are indistinguishable: the first idle one is taken,
** and any unusable one counts.
*/
enum ofox_claim ofox_sockets_claim(struct ofox_sockets *s, unsigned long key,
                                   int opened, struct ofox_hold *hold) {
  struct ofox_socket *e = find(s, opened), *next;
  int stray = 0;
  memset(hold, 0, sizeof(*hold));
  if (e != NULL)
    name(s, e);
  if (e != NULL && e->key == key)
    return take(s, e, hold);
  if (s->_count == 0)
    return OFOX_CLAIM_OWN;
  e = look(s, key, opened < 0, &stray);
  if (e == NULL && !stray) { /* its user has gone before it was connected */
    for (e = s->_unnamed.first; e != NULL; e = next) {
      next = e->_next;
      name(s, e);
    }
    e = look(s, key, opened < 0, &stray);
  }
  if (stray)
    return OFOX_CLAIM_STRAY;
  return e == NULL ? OFOX_CLAIM_OWN : take(s, e, hold);
}

/* libcurl finds out when it checks it again. */
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
  if (version != 0) {
    e->silent_idle = version < 20;
    e->shared = version >= 20;
  }
  take_out(s, e);
  e->users--;
  put_in(s, e);
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
  take_out(s, e);
  e->silenced = 1;
  put_in(s, e);
  hang_up(e);
  return e->users > 0;
}

size_t ofox_sockets_count(const struct ofox_sockets *s) {
  return s->_count;
}
