/*
** The sockets of an engine: which of them carries which connection, how many
** use it, when it last received bytes, and whether it may be used again.
** libcurl shows a callback the two ends of a connection, not its descriptor.
** Knows nothing of libcurl or HTTP; time is an argument, in seconds.
*/
#ifndef OFOX_SOCKETS_H
#define OFOX_SOCKETS_H

#include "base/buf.h"

struct ofox_socket {
  int fd;
  unsigned long nth; /* counts opened sockets: descriptors are reused */
  unsigned long key; /* of its two ends, or of a unix path; 0: not known yet */
  int silent_idle;   /* HTTP/1.x: nothing may arrive between two answers */
  int shared;        /* HTTP/2: several may use it concurrently */
  int silenced;      /* a user waited in vain: no other will */
  size_t users;
  double heard;                       /* when bytes last arrived */
  struct ofox_socket *_next, **_link; /* in its row; '*_link' is this */
};

/* First those that a claim must check: they are idle or silenced. */
struct ofox_socket_row {
  struct ofox_socket *first, **end;
};

struct ofox_sockets {
  struct ofox_buf _by_fd;          /* of struct ofox_socket * */
  struct ofox_buf _rows;           /* of struct ofox_socket_row, by key */
  struct ofox_socket_row _unnamed; /* their key is not known yet */
  size_t _count;
  unsigned long _opened;
};

/* What a user holds; zeroed: nothing. It may have been closed meanwhile. */
struct ofox_hold {
  int fd;
  unsigned long nth;
};

void ofox_sockets_init(struct ofox_sockets *s);
void ofox_sockets_free(struct ofox_sockets *s);

/* Makes a socket that is closed on exec, for a peer at 'path' (NULL: not a
** unix socket); -1 if that failed, and errno. */
int ofox_sockets_open(struct ofox_sockets *s, int domain, int type,
                      int protocol, const char *path);
/* Has the process too few descriptors left, e.g. to resolve a name? */
int ofox_sockets_are_short(void);
void ofox_sockets_close(struct ofox_sockets *s, int fd);
/* Closes all of them, without notifying the peers. */
void ofox_sockets_abandon(struct ofox_sockets *s);

/* What stands for a connection: its ends as text, or the path of a unix
** socket, which others may have, too. Never 0. */
unsigned long ofox_sockets_key(const char *local, int local_port,
                               const char *peer, int peer_port);
unsigned long ofox_sockets_unix_key(const char *path);

/* What a claim has found. */
enum ofox_claim {
  OFOX_CLAIM_OWN,    /* no other user has it */
  OFOX_CLAIM_SHARED, /* others have it, or may have it concurrently */
  OFOX_CLAIM_STRAY   /* not taken: bytes wait on it, or its peer has closed
                        it, or it was silenced */
};

/*
** Adds a user of the connection with that key. 'opened' is the socket that was
** just opened for it, or -1: it was used before. '*hold' becomes nothing if it
** is not known.
*/
enum ofox_claim ofox_sockets_claim(struct ofox_sockets *s, unsigned long key,
                                   int opened, struct ofox_hold *hold);

/* A user less, who holds nothing any more; 'version' of HTTP was 10, 11 or
** 20; 0: none was seen. */
void ofox_sockets_release(struct ofox_sockets *s, struct ofox_hold *hold,
                          int version);

/* Bytes have arrived. */
void ofox_sockets_hear(struct ofox_sockets *s, int fd, double now);
/* When they last did; INFINITY: it is closed, or not known. */
double ofox_sockets_heard(const struct ofox_sockets *s,
                          const struct ofox_hold *hold);

/* It takes no more users; without any it looks closed to libcurl, which keeps
** it. 1 if it has users, who may continue. */
int ofox_sockets_silence(struct ofox_sockets *s, const struct ofox_hold *hold);

/* Is it open at both ends, with nothing to read? */
int ofox_sockets_is_quiet(const struct ofox_sockets *s,
                          const struct ofox_hold *hold);

size_t ofox_sockets_count(const struct ofox_sockets *s);

#endif
