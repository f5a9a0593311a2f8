#define _GNU_SOURCE
#include "io/connecting.h"

#include <errno.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "io/clocks.h"
#include "io/transfer.h"

/* 1: another transfer is opening a connection that this one may share. */
static int is_crowded(struct ofox_transfer *t) {
  t->crowded |= !ofox_connect_turns_open(t->destination, t);
  return t->crowded;
}

/* Called before a name is resolved. */
int ofox_connecting_resolve(void *resolver, void *reserved, void *user) {
  struct ofox_transfer *t = ((struct ofox_handle *)user)->transfer;
  (void)resolver;
  (void)reserved;
  if (t->call != NULL) {
    if (is_crowded(t))
      return 1;
    ofox_sigpipe_hold(&t->traffic->sigpipe); /* a module of the system's */
    ofox_call_connect(t->call, ofox_clocks_now());
    ofox_transfer_noted(t);
  }
  return 0;
}

/*
** libcurl is about to send the request again by itself. It does so if a
** connection that was used before has died, and logs it; with HTTP/2 it also
** does, silently, if the server has refused the stream.
*/
static void note_resend(struct ofox_transfer *t) {
  if (t->resent || t->call == NULL)
    return;
  t->resent = 1;
  t->refused = (t->opened >= 0 || t->shares) && t->detail[0] == '\0';
}

/*
** Called before each send of a request (CURLOPT_PREREQFUNCTION). libcurl would
** resend it by itself if a reused connection dies; that is refused, since the
** call counts its attempts: here on another kept connection, in
** ofox_connecting_open before there is a new one.
*/
int ofox_connecting_request(void *user, char *peer, char *local, int peer_port,
                            int local_port) {
  struct ofox_transfer *t = ((struct ofox_handle *)user)->transfer;
  unsigned long key = t->unix_key;
  enum ofox_claim claim;
  long connects = 0;
  if (t->sends++ > 0 || t->call == NULL) {
    note_resend(t);
    return CURL_PREREQFUNC_ABORT;
  }
  if (key == 0)
    key = ofox_sockets_key(local, local_port, peer, peer_port);
  curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
  if (connects == 0)
    t->opened = -1;
  claim = ofox_sockets_claim(&t->traffic->sockets, key, t->opened, &t->socket);
  if (claim == OFOX_CLAIM_STRAY) {
    t->stray = 1;
    return CURL_PREREQFUNC_ABORT;
  }
  t->shares = claim == OFOX_CLAIM_SHARED;
  ofox_connect_turns_pass(&t->traffic->connect_turns, t->destination, t,
                          t->shares);
  t->asked = ofox_clocks_now();
  ofox_call_connected(t->call, connects == 0, t->asked);
  ofox_transfer_expect(t);
  return CURL_PREREQFUNC_OK;
}

curl_socket_t ofox_connecting_open(void *user, curlsocktype purpose,
                                   struct curl_sockaddr *a) {
  struct ofox_transfer *t = ((struct ofox_handle *)user)->transfer;
  const char *path = NULL;
  (void)purpose;
  if (t->sends > 0 || t->call == NULL) {
    note_resend(t);
    return CURL_SOCKET_BAD;
  }
  if (is_crowded(t))
    return CURL_SOCKET_BAD;
  ofox_call_connect(t->call, ofox_clocks_now());
  ofox_transfer_noted(t);
  if (a->family == AF_UNIX)
    path = ((const struct sockaddr_un *)(const void *)&a->addr)->sun_path;
  t->opened = ofox_sockets_open(&t->traffic->sockets, a->family, a->socktype,
                                a->protocol, path);
  if (t->opened < 0) {
    if (errno == ENOMEM)
      ofox_call_starve(t->call);
    t->starved |= errno == EMFILE || errno == ENFILE;
    return CURL_SOCKET_BAD;
  }
  ofox_connections_opened(&t->traffic->connections, t->opened);
  return t->opened;
}

int ofox_connecting_close(void *user, curl_socket_t fd) {
  struct ofox_traffic *w = user;
  ofox_connections_closed(&w->connections, fd);
  ofox_sockets_close(&w->sockets, fd);
  return 0;
}
