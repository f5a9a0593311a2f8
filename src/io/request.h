/*
** What an attempt sends, and how.
** Knows nothing of who sends it.
*/
#ifndef OFOX_REQUEST_H
#define OFOX_REQUEST_H

#include <stdint.h>

#include "base/buf.h"
#include "io/form.h"
#include "io/tls_files.h"

/*
** What an attempt sends. The engine copies everything except the body and the
** form, and the names of files and of the socket, which must stay valid until
** the attempt has ended.
** Requests of one plan are identical except for the bytes of their bodies and
** their own header lines: the engine need not look at the rest again. All of
** them have a body, or a form, or none has. A number is never given to another
** plan while the engine lives; 0 is no plan.
*/
struct ofox_request {
  uint64_t plan;
  const char *method, *url;
  /* "Name: value", ended by NULL: those of the plan, and those of this request
     which come after them, or NULL */
  const char *const *headers, *const *own;
  struct ofox_span body;  /* p NULL: none */
  struct ofox_form *form; /* instead of a body; NULL: none */
  int verify;
  int http_version;     /* 0 libcurl's choice, 11, 20, or 22: 2 without TLS */
  long max_connections; /* per host; 0: no limit */
  /* NULL: libcurl's own way */
  const char *proxy, *unix_socket;
  struct ofox_tls_files files;
};

#endif
