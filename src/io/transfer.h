/*
** Ties a call to the engine, from its first attempt to its end: one attempt
** after the other, as libcurl sees them.
** Knows nothing of other transfers, or of when it is looked at.
*/
#ifndef OFOX_TRANSFER_H
#define OFOX_TRANSFER_H

#include <curl/curl.h>

#include "call/call.h"
#include "io/content_coding.h"
#include "io/tls_files.h"
#include "io/traffic.h"

#define OFOX_DETAIL 512
#if OFOX_DETAIL < CURL_ERROR_SIZE
#error "libcurl writes into it, too"
#endif

struct ofox_transfer {
  struct ofox_traffic *traffic;
  struct ofox_call *call; /* NULL: it has all it wants, the rest is drained */
  struct ofox_handle *handle;
  CURL *easy;             /* the handle's; NULL between attempts */
  struct ofox_pool *pool; /* where it runs */
  struct ofox_destination
      *destination; /* NULL: it may always open a connection */
  struct ofox_transfer *next, **link; /* '*link' is this */
  unsigned long progress;             /* the turn that last brought bytes */
  unsigned long unix_key;             /* of the path it connects to; 0: none */
  int opened;              /* the latest socket opened for it; -1: none */
  struct ofox_hold socket; /* that its request went to */
  double asked;            /* when it did */
  int sends;               /* requests libcurl was about to send */
  long limit;              /* of connections to its host; 0: none */
  size_t upload;           /* bytes of the request's body */
  int version;             /* of HTTP, as headers.h has it */
  size_t drained;          /* bytes since it has no call */
  double drained_by;       /* when it may take no longer */
  int shares;  /* its connection is known to carry several at once */
  int whole;   /* libcurl has ended it, and nothing went wrong */
  int resent;  /* libcurl wanted to send once more */
  int refused; /* the server has not looked at the request */
  int starved; /* there was no descriptor for it */
  int excused; /* its limits were moved once, see judge in engine.c */
  int crowded; /* others open the connection that it may use */
  int stray;   /* the connection was not fit: nothing was sent */
  struct ofox_content_coding coding; /* of the body */
  int looked;                        /* for what codes it */
  size_t taken;                /* bytes that come once more and were decoded */
  struct ofox_tls_files files; /* those of the request */
  const char *unix_socket;
  char detail[OFOX_DETAIL]; /* see ofox_call_end */
};

/* When it wants to be looked at; INFINITY: when bytes come. */
double ofox_transfer_due(const struct ofox_transfer *t);
/* Something of it has come in: its limits may have moved. */
void ofox_transfer_noted(struct ofox_transfer *t);

/*
** Has its connection said nothing, to none of its users, for the later half of
** the time that it has waited, which are 'patience' seconds or more?
*/
int ofox_transfer_is_silent(const struct ofox_transfer *t, double patience,
                            double now);

/* Has a byte of the request left, that the server may have looked at? */
int ofox_transfer_sent(struct ofox_transfer *t);

#endif
