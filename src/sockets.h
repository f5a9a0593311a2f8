/*
** The sockets of an engine: which of them carries which connection, and
** whether bytes wait on one that should be silent. libcurl shows a callback
** the local port of a connection, not its descriptor.
** Knows nothing of libcurl or HTTP.
*/
#ifndef OFOX_SOCKETS_H
#define OFOX_SOCKETS_H

#include "buf.h"

struct ofox_socket {
  int fd;
  int port;         /* local port; -1 until known, 0: a unix socket */
  int silent_idle;  /* HTTP/1.x: nothing may arrive between two answers */
  const void *user; /* who uses it now; NULL while idle */
};

struct ofox_sockets {
  struct ofox_buf _list; /* of struct ofox_socket */
};

void ofox_sockets_init(struct ofox_sockets *s);
void ofox_sockets_free(struct ofox_sockets *s);

/* Makes a socket that is closed on exec; -1 if that failed. */
int ofox_sockets_open(struct ofox_sockets *s, int domain, int type,
                      int protocol);
void ofox_sockets_close(struct ofox_sockets *s, int fd);
/* Closes all of them, without a word to the peers. */
void ofox_sockets_abandon(struct ofox_sockets *s);

/*
** 'user' is about to use the connection with that local port (0: one of the
** unix sockets). 1: fine; 0: bytes wait on it, or its peer has closed it.
*/
int ofox_sockets_claim(struct ofox_sockets *s, int port, const void *user);

/* 'user' is done; 'version' of HTTP was 10, 11 or 20; 0: none was seen. */
void ofox_sockets_release(struct ofox_sockets *s, const void *user,
                          int version);

#endif
