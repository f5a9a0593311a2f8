/*
** The connections that libcurl keeps, and the transfers on them. New transfers
** use one multi handle; others, whose connections must not be used by new
** transfers, stay until their transfers have ended.
** Knows nothing of calls, or of what a transfer is for.
*/
#ifndef OFOX_CONNECTIONS_H
#define OFOX_CONNECTIONS_H

#include <curl/curl.h>

#include "base/buf.h"
#include "io/poller.h"

struct ofox_pool; /* one multi handle */

struct ofox_connections {
  struct ofox_poller *poller;
  struct ofox_pool *open;       /* takes new transfers; NULL: none does */
  struct ofox_pool *left;       /* those that take no more */
  struct ofox_buf _descriptors; /* data of each, by its number */
};

void ofox_connections_init(struct ofox_connections *p,
                           struct ofox_poller *poller);
/* Closes all connections; there must be no transfers. */
void ofox_connections_free(struct ofox_connections *p);

/* Creates the pool for new transfers, if there is none: 0 or OFOX_EMEM. */
int ofox_connections_open(struct ofox_connections *p);
/* New transfers will use none of the existing connections. */
void ofox_connections_leave(struct ofox_connections *p);
/* A connection's descriptor is new; it is about to be closed. In between it
** stays watched while the connection is idle. */
void ofox_connections_opened(struct ofox_connections *p, int fd);
void ofox_connections_closed(struct ofox_connections *p, int fd);
/* Limits the connections to a host; 0: no limit. */
void ofox_connections_limit(struct ofox_connections *p, long connections);

/* Starts a transfer: its pool, or NULL. */
struct ofox_pool *ofox_connections_add(struct ofox_connections *p, CURL *easy);
void ofox_pool_remove(struct ofox_pool *pool, CURL *easy);

/* When timers must be called; INFINITY: never. */
double ofox_connections_due(const struct ofox_connections *p);
/*
** Serves a socket that is readable or writable; serves expired timers. 0; or
** OFOX_EMEM: libcurl had no memory to record what it waits for.
*/
int ofox_connections_event(struct ofox_connections *p,
                           const struct ofox_poll_event *e);
int ofox_connections_timers(struct ofox_connections *p, double now);
/* A transfer that has ended, or NULL; and its result. */
CURL *ofox_connections_ended(struct ofox_connections *p, CURLcode *how);
/* Closes abandoned pools that have no transfers any more. */
void ofox_connections_sweep(struct ofox_connections *p);

#endif
