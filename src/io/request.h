/*
** What an attempt sends, and the way it goes.
** Knows nothing of who sends it.
*/
#ifndef OFOX_REQUEST_H
#define OFOX_REQUEST_H

#include <stdint.h>

#include "base/buf.h"
#include "io/tls_files.h"

/* What an attempt sends. The engine copies all but the body, the names of
** files and of the socket, which must stay until the attempt has ended. */
struct ofox_request {
  /* Not 0: requests with the same number differ in 'own' and 'body' only. */
  uint64_t plan;
  const char *method, *url;
  const char *const *headers; /* "Name: value", ended by NULL */
  const char *const *own;     /* more of them; NULL: none */
  struct ofox_span body;      /* p NULL: none */
  int verify;
  int http_version;     /* 0 libcurl's choice, 11, 20, or 22: 2 without TLS */
  long max_connections; /* per host; 0: no limit */
  /* NULL: libcurl's own way */
  const char *proxy, *unix_socket;
  struct ofox_tls_files files;
};

#endif
