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
#include <netinet/tcp.h>
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
static struct { size_t at, n; } pieces[PIECES];
static int npieces, next;
static int listening; /* a new one for each script */
static int script_number;

static struct {
  int fd;
  int script; /* number of the one that it was made for */
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
** of no bytes, which is an end without a word; or the script is another's. */
static int answer(int fd, int number) {
  int i, sent = 0;
  pthread_mutex_lock(&lock);
  i = number == script_number ? next : npieces;
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
    if (answer(connections[i].fd, connections[i].script) != 0) {
      drop(i);
      return;
    }
  }
  connections[i].n = n;
}

static void admit(int fd) {
  int i = 0, client = accept(fd, NULL, NULL);
  if (client < 0)
    return;
  client = far_from(client);
  while (i < CONNECTIONS && connections[i].fd >= 0)
    i++;
  if (i == CONNECTIONS) {
    close(client);
    return;
  }
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  connections[i].fd = client;
  connections[i].script = script_number;
  connections[i].n = 0;
}

static void *serve(void *user) {
  struct pollfd p[CONNECTIONS + 1];
  int i;
  for (p[CONNECTIONS].fd = -1;; (void)user) {
    pthread_mutex_lock(&lock);
    if (p[CONNECTIONS].fd != listening)
      close(p[CONNECTIONS].fd);
    p[CONNECTIONS].fd = listening;
    pthread_mutex_unlock(&lock);
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
      admit(p[CONNECTIONS].fd);
  }
  return NULL;
}

/* Begins a script of no answers yet, on a port of its own: a connection made
** for the last one takes none of its answers. Returns the port. */
static int begin(void) {
  static int running;
  pthread_t thread;
  int i, port, fd = listener(&port);
  if (listen(fd, CONNECTIONS) != 0)
    abort();
  pthread_mutex_lock(&lock);
  if (running)
    shutdown(listening, SHUT_RDWR); /* wakes the thread */
  listening = fd;
  script_number++;
  npieces = next = 0;
  pthread_mutex_unlock(&lock);
  for (i = 0; i < CONNECTIONS && !running; i++)
    connections[i].fd = -1;
  if (!running && pthread_create(&thread, NULL, serve, NULL) != 0)
    abort();
  running = 1;
  return port;
}

static void add_piece(lua_State *L, const char *p, size_t n) {
  size_t at =
      npieces == 0 ? 0 : pieces[npieces - 1].at + pieces[npieces - 1].n;
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
  int i, k, port;
  size_t n;
  const char *p;
  luaL_checktype(L, 1, LUA_TTABLE);
  port = begin();
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
  lua_pushinteger(L, port);
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
