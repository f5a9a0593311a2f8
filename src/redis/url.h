/*
** Where a server of Redis is, by URL:
**   redis://[user:password@]host[:port][/database]
**   rediss://... the same, by TLS
**   unix://[user:password@]/path[?db=database]
** User, password and path may be percent-encoded; the user may be empty.
** Pure. Problems never show what they are about, which may be a secret.
*/
#ifndef OFOX_REDIS_URL_H
#define OFOX_REDIS_URL_H

#include "base/buf.h"

struct ofox_redis_url {
  int tls;
  int has_password;
  int port;
  long database;
  /* Each with a NUL behind it that does not count. */
  struct ofox_buf host; /* empty: a unix socket; IPv6 without brackets */
  struct ofox_buf path;
  struct ofox_buf user; /* empty: none */
  struct ofox_buf password;
};

/* 0; OFOX_EMEM; OFOX_ESYNTAX and, in '*problem', what is wrong. 'u' has to be
** freed in any case. */
int ofox_redis_url_read(struct ofox_redis_url *u, struct ofox_span text,
                        const char **problem);
/* Zeroed is fine; idempotent. */
void ofox_redis_url_free(struct ofox_redis_url *u);

#endif
