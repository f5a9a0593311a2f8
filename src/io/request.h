/*
** What an attempt sends, and the way it goes.
** Knows nothing of who sends it.
*/
#ifndef OFOX_REQUEST_H
#define OFOX_REQUEST_H

#include <stdint.h>

#include "base/buf.h"
#include "io/tls_files.h"

/*
** What an attempt sends. The engine copies all but the body, the names of
** files and of the socket, which must stay until the attempt has ended.
**
** Requests of one plan are alike but for the bytes of their bodies and their
** own header lines: so the engine need not look at the rest again. A body is
** in all of them, or in none. A number is never given to another plan, as long
** as the engine lives; 0 is no plan.
*/
struct ofox_request {
  uint64_t plan;
  const char *method, *url;
  /* "Name: value", ended by NULL: those of the plan, and those of this request
     which come after them, or NULL */
  const char *const *headers, *const *own;
  struct ofox_span body; /* p NULL: none */
  int verify;
  int http_version;     /* 0 libcurl's choice, 11, 20, or 22: 2 without TLS */
  long max_connections; /* per host; 0: no limit */
  /* NULL: libcurl's own way */
  const char *proxy, *unix_socket;
  struct ofox_tls_files files;
};

#endif
