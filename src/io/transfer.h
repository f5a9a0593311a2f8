/*
** Attaches a call to the engine, from its first attempt to its end: one
** attempt after the other, as libcurl sees them.
** Knows nothing of other transfers, or of when it is checked.
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
  struct ofox_due_entry due; /* the first member */
  struct ofox_traffic *traffic;
  struct ofox_call *call;     /* NULL: it is done, the rest is drained */
  struct ofox_handle *handle; /* that of a form is kept between attempts */
  CURL *easy;                 /* the handle's; NULL between attempts */
  struct ofox_pool *pool;     /* where it runs */
  struct ofox_destination
      *destination; /* NULL: it may always open a connection */
  struct ofox_transfer *next, **link; /* '*link' is this */
  unsigned long progress;             /* the turn that last delivered bytes */
  unsigned long unix_key;             /* of the path it connects to; 0: none */
  int opened;              /* the latest socket opened for it; -1: none */
  struct ofox_hold socket; /* that its request went to */
  double asked;            /* when it did */
  int sends;               /* requests libcurl was about to send */
  long limit;              /* of connections to its host; 0: none */
  size_t upload;           /* bytes of the request's body */
  struct ofox_form *form;  /* of the request; NULL: none */
  curl_mime *mime;         /* the same for libcurl, see mime.h */
  int version;             /* of HTTP, as headers.h has it */
  size_t drained;          /* bytes read without a call */
  double drained_by;       /* when draining must end */
  int shares;              /* its connection is known to be shareable */
  int whole;               /* libcurl has ended it without an error */
  int resent;              /* libcurl wanted to send once more */
  int refused;             /* the server has not processed the request */
  int starved;             /* no descriptor was available */
  int excused; /* its limits were extended once, see judge in engine.c */
  int crowded; /* others open the connection that it may use */
  int stray;   /* the connection was unusable: nothing was sent */
  struct ofox_content_coding coding; /* of the body */
  int looked;                        /* for what codes it */
  size_t taken;                /* decoded bytes that will be passed again */
  struct ofox_tls_files files; /* those of the request */
  const char *unix_socket;
  char detail[OFOX_DETAIL]; /* see ofox_call_end */
};

/* When it must be checked; INFINITY: when bytes arrive. */
double ofox_transfer_due(const struct ofox_transfer *t);
/* It may have to be checked earlier than before. */
void ofox_transfer_expect(struct ofox_transfer *t);
/* It has received something: its limits may have changed. */
void ofox_transfer_noted(struct ofox_transfer *t);

/*
** Has its connection received nothing, for any of its users, for the later
** half of the time that it has waited, which is 'patience' seconds or more?
*/
int ofox_transfer_is_silent(const struct ofox_transfer *t, double patience,
                            double now);

/* Was a byte of the request sent, which the server may have read? */
int ofox_transfer_sent(struct ofox_transfer *t);

#endif
