/*
** TLS for a connection of hiredis, by hiredis_ssl and OpenSSL, where there are
** both (OFOX_REDIS_TLS); else nothing can be opened. The server's certificate
** has to be for the host.
*/
#ifndef OFOX_REDIS_TLS_H
#define OFOX_REDIS_TLS_H

#include <stddef.h>

struct redisContext;
struct ofox_redis_tls; /* what the connections to one server share */

int ofox_redis_tls_is_there(void);

/* Who is trusted: those of 'ca_file', or the system's (NULL). NULL: 'problem'
** says why. */
struct ofox_redis_tls *ofox_redis_tls_new(const char *host,
                                          const char *ca_file, char *problem,
                                          size_t size);
void ofox_redis_tls_delete(struct ofox_redis_tls *t); /* NULL is fine */

/* Before hiredis reads and writes: forgets what OpenSSL noted of the failures
** of others in this thread, which hiredis would take for its own. */
void ofox_redis_tls_enter(void);
/* Begins TLS on a connected socket: 0, or negative. */
int ofox_redis_tls_begin(struct ofox_redis_tls *t, struct redisContext *c);
/* The connection is about to be freed. What was wrong with the certificate
 ** that it was shown; NULL: nothing. */
const char *ofox_redis_tls_problem(struct ofox_redis_tls *t);

#endif
