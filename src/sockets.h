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
  long key;         /* local port, or of a unix path; 0 until known */
  int silent_idle;  /* HTTP/1.x: nothing may arrive between two answers */
  const void *user; /* who uses it now; NULL while idle */
};

struct ofox_sockets {
  struct ofox_buf _list; /* of struct ofox_socket */
};

void ofox_sockets_init(struct ofox_sockets *s);
void ofox_sockets_free(struct ofox_sockets *s);

/*
** Makes a socket that is closed on exec, for a peer at 'path' (NULL: not a
** unix socket); -1 if that failed, and errno.
*/
int ofox_sockets_open(struct ofox_sockets *s, int domain, int type,
                      int protocol, const char *path);
void ofox_sockets_close(struct ofox_sockets *s, int fd);
/* Closes all of them, without a word to the peers. */
void ofox_sockets_abandon(struct ofox_sockets *s);

/* What stands for a path where others have their local port. */
long ofox_sockets_unix_key(const char *path);

/*
** 'user' is about to use the connection with that key. 1: fine; 0: bytes wait
** on it, or its peer has closed it.
*/
int ofox_sockets_claim(struct ofox_sockets *s, long key, const void *user);

/* 'user' is done; 'version' of HTTP was 10, 11 or 20; 0: none was seen. */
void ofox_sockets_release(struct ofox_sockets *s, const void *user,
                          int version);

#endif
