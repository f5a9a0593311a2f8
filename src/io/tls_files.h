/*
** The certificate and key files that a program has set, and what is wrong with
** them, to explain why TLS has failed.
** Knows nothing of TLS libraries: it only inspects files.
*/
#ifndef OFOX_TLS_FILES_H
#define OFOX_TLS_FILES_H

#include "base/buf.h"

/* NULL: not named */
struct ofox_tls_files {
  const char *ca_file, *ca_path;
  const char *client_cert, *client_key, *client_password;
};

/*
** Both write one sentence to 'out', truncated to fit and ended by NUL, and
** return 1; or 0: there is nothing to report.
*/
/* One of them cannot be read. */
int ofox_tls_files_unreadable(const struct ofox_tls_files *f, char *out,
                              size_t cap);
/* The client's certificate or key was rejected. */
int ofox_tls_files_own(const struct ofox_tls_files *f, char *out, size_t cap);

#endif
