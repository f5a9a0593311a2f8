/*
** Shared by the transfers of an engine: the poller, connections, who waits.
** Knows nothing of what a transfer is.
*/
#ifndef OFOX_TRAFFIC_H
#define OFOX_TRAFFIC_H

#include "call/ready_list.h"
#include "io/connect_turns.h"
#include "io/connections.h"
#include "io/dues.h"
#include "io/handles.h"
#include "io/sigpipe.h"
#include "io/sockets.h"

struct ofox_transfer;

struct ofox_traffic {
  struct ofox_poller *poller;
  struct ofox_connections connections;
  struct ofox_handles handles;
  struct ofox_sockets sockets;
  struct ofox_dues dues; /* when to check which transfer */
  unsigned long checks;  /* counts them, for the specs */
  unsigned long turn;    /* counts rounds of reading */
  int draining;          /* transfers without a call */
  int one_ca_file; /* libcurl's CA file is enough without its directory */
  struct ofox_transfer *first, **end; /* in order of arrival */
  struct ofox_ready_list news;
  struct ofox_buf limits; /* of connections to a host, sorted, and how many
                             transfers have each */
  struct ofox_connect_turns connect_turns;
  int crowd;    /* transfers that wait outside, see transfers.h */
  int resume;   /* a paused transfer may resume */
  double looks; /* when an outer loop that watches the poller's descriptor
                   looks by itself; -INFINITY: none watches */
  struct ofox_sigpipe sigpipe;
  unsigned long forks; /* before it was made */
};

/* All but poller, connections and sockets; zeroed before. */
void ofox_traffic_init(struct ofox_traffic *w);

/* Created by this process? */
int ofox_traffic_is_ours(const struct ofox_traffic *w);

/*
** libcurl has one limit of connections to a host for all: a transfer that has
** this one is on the wire, 0 or OFOX_EMEM; it no longer is; the least of all,
** 0: none. 'limit' is more than 0.
*/
int ofox_traffic_limit(struct ofox_traffic *w, long limit);
void ofox_traffic_unlimit(struct ofox_traffic *w, long limit);
long ofox_traffic_least_limit(const struct ofox_traffic *w);

#endif
