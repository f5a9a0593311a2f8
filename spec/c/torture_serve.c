/*
** An HTTP/1.1 server in a thread of the process: it gives what it was told to,
** answer by answer, whichever connection asks. Its memory is its own, so that
** nothing here fails or counts.
*/
#define _GNU_SOURCE
#include "torture.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <lauxlib.h>

#define CONNECTIONS 16
#define PIECES 256
#define SCRIPT (64 * 1024)
#define REQUEST (64 * 1024)
#define FAR 512 /* its descriptors have higher numbers than any other's */

/* Pieces of answers in order; one of no bytes ends its answer. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char script[SCRIPT];
static struct {
  size_t at, n;
} pieces[PIECES];
static int npieces, next;

static struct {
  int fd;
  size_t n;
  char request[REQUEST];
} connections[CONNECTIONS];

static int far_from(int fd) {
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, FAR);
  close(fd);
  return moved;
}

/* A socket on a port of its own choice, which it tells. */
static int listener(int *port) {
  struct sockaddr_in a;
  socklen_t n = sizeof(a);
  int fd = far_from(socket(AF_INET, SOCK_STREAM, 0));
  memset(&a, 0, sizeof(a));
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
      getsockname(fd, (struct sockaddr *)&a, &n) != 0)
    abort();
  *port = ntohs(a.sin_port);
  return fd;
}

/* How many bytes of the request are a whole one; 0: not yet. */
static size_t whole(char *request, size_t n) {
  char *end, *length;
  size_t head;
  request[n] = '\0';
  end = strstr(request, "\r\n\r\n");
  if (end == NULL)
    return 0;
  head = (size_t)(end + 4 - request);
  length = strcasestr(request, "\r\ncontent-length:");
  if (length != NULL && length < end)
    head += strtoul(length + 17, NULL, 10);
  return n >= head ? head : 0;
}

/* Sends an answer, the last one again when there are no more. -1: an answer
** of no bytes, which is an end without a word. */
static int answer(int fd) {
  int i, sent = 0;
  pthread_mutex_lock(&lock);
  i = next;
  for (; i < npieces && pieces[i].n > 0; i++) {
    if (sent > 0)
      usleep(2000);
    send(fd, script + pieces[i].at, pieces[i].n, MSG_NOSIGNAL);
    sent++;
  }
  if (i + 1 < npieces)
    next = i + 1;
  pthread_mutex_unlock(&lock);
  return sent > 0 ? 0 : -1;
}

static void drop(int i) {
  close(connections[i].fd);
  connections[i].fd = -1;
}

static void receive(int i) {
  char *p = connections[i].request;
  size_t n = connections[i].n, take;
  ssize_t got = recv(connections[i].fd, p + n, REQUEST - 1 - n, 0);
  if (got <= 0) {
    drop(i);
    return;
  }
  n += (size_t)got;
  while ((take = whole(p, n)) > 0) {
    n -= take;
    memmove(p, p + take, n);
    if (answer(connections[i].fd) != 0) {
      drop(i);
      return;
    }
  }
  connections[i].n = n;
}

static void admit(int fd) {
  int i = 0, client = far_from(accept(fd, NULL, NULL));
  while (i < CONNECTIONS && connections[i].fd >= 0)
    i++;
  if (i == CONNECTIONS) {
    close(client);
    return;
  }
  connections[i].fd = client;
  connections[i].n = 0;
}

static void *serve(void *user) {
  struct pollfd p[CONNECTIONS + 1];
  int i;
  for (;;) {
    p[CONNECTIONS].fd = *(int *)user;
    p[CONNECTIONS].events = POLLIN;
    for (i = 0; i < CONNECTIONS; i++) {
      p[i].fd = connections[i].fd;
      p[i].events = POLLIN;
    }
    if (poll(p, CONNECTIONS + 1, -1) < 0)
      continue;
    for (i = 0; i < CONNECTIONS; i++) {
      if (p[i].fd >= 0 && p[i].revents != 0)
        receive(i);
    }
    if (p[CONNECTIONS].revents != 0)
      admit(*(int *)user);
  }
  return NULL;
}

static int start(void) {
  static int fd, port;
  pthread_t thread;
  int i;
  if (port != 0)
    return port;
  for (i = 0; i < CONNECTIONS; i++)
    connections[i].fd = -1;
  fd = listener(&port);
  if (listen(fd, CONNECTIONS) != 0 ||
      pthread_create(&thread, NULL, serve, &fd) != 0)
    abort();
  return port;
}

static void add_piece(lua_State *L, const char *p, size_t n) {
  size_t at = npieces == 0 ? 0 : pieces[npieces - 1].at + pieces[npieces - 1].n;
  luaL_argcheck(L, npieces < PIECES && n < SCRIPT - at, 1, "too long");
  memcpy(script + at, p, n);
  pieces[npieces].at = at;
  pieces[npieces++].n = n;
}

/*
** serve{answer, ...} -> port. An answer is bytes or a list of pieces with a
** moment between them; "" closes the connection.
*/
static int lua_serve(lua_State *L) {
  int i, k;
  size_t n;
  const char *p;
  luaL_checktype(L, 1, LUA_TTABLE);
  pthread_mutex_lock(&lock);
  npieces = next = 0;
  for (i = 1;; i++, lua_pop(L, 1)) {
    lua_rawgeti(L, 1, i);
    if (lua_isnil(L, -1))
      break;
    if (!lua_istable(L, -1)) {
      p = luaL_checklstring(L, -1, &n);
      add_piece(L, p, n);
      if (n == 0)
        continue;
    }
    for (k = 1; lua_istable(L, -1); k++) {
      lua_rawgeti(L, -1, k);
      p = lua_tolstring(L, -1, &n);
      lua_pop(L, 1);
      if (p == NULL)
        break;
      add_piece(L, p, n);
    }
    add_piece(L, "", 0);
  }
  pthread_mutex_unlock(&lock);
  lua_pushinteger(L, start());
  return 1;
}

/* closed_port() -> one where nobody listens */
static int lua_closed_port(lua_State *L) {
  int port;
  listener(&port); /* bound for good: nobody else will listen there */
  lua_pushinteger(L, port);
  return 1;
}

void serve_open(lua_State *L) {
  lua_pushcfunction(L, lua_serve);
  lua_setfield(L, -2, "serve");
  lua_pushcfunction(L, lua_closed_port);
  lua_setfield(L, -2, "closed_port");
}
