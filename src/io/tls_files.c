#define _POSIX_C_SOURCE 200809L
#include "io/tls_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <unistd.h>

#define LOOK (16 * 1024) /* bytes of a file that are searched for a word */

int ofox_tls_files_unreadable(const struct ofox_tls_files *f, char *out,
                              size_t cap) {
  const struct {
    const char *name, *path;
  } rows[] = {
      {"ca_file", f->ca_file},
      {"ca_path", f->ca_path},
      {"client_cert", f->client_cert},
      {"client_cert.key", f->client_key},
  };
  size_t i;
  for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (rows[i].path != NULL && access(rows[i].path, R_OK) != 0)
      return snprintf(out, cap, "%s cannot be read (%s): %s", rows[i].name,
                      strerror(errno), rows[i].path) > 0;
  }
  return 0;
}

static int holds(const char *path, const char *word) {
  char text[LOOK];
  struct ofox_span s = {text, 0};
  FILE *f = fopen(path, "rb");
  if (f == NULL)
    return 0;
  s.n = fread(text, 1, sizeof(text), f);
  fclose(f);
  return ofox_span_ifind(s, word) != (size_t)-1;
}

/* The likely fault of a rejected key: a sentence without the names. */
static const char *about_key(const struct ofox_tls_files *f, const char *key) {
  if (!holds(key, "PRIVATE KEY"))
    return "%s contains no private key: %s";
  if (!holds(key, "ENCRYPTED"))
    return "%s is not the key of the certificate: %s";
  return f->client_password == NULL
             ? "%s needs client_cert.password: %s"
             : "%s is not opened by client_cert.password, or is the key of "
               "another certificate: %s";
}

int ofox_tls_files_own(const struct ofox_tls_files *f, char *out, size_t cap) {
  const char *name = f->client_key != NULL ? "client_cert.key" : "client_cert";
  const char *key = f->client_key != NULL ? f->client_key : f->client_cert;
  if (f->client_cert == NULL)
    return 0;
  if (!holds(f->client_cert, "BEGIN CERTIFICATE"))
    return snprintf(out, cap, "client_cert contains no certificate: %s",
                    f->client_cert) > 0;
  return snprintf(out, cap, about_key(f, key), name, key) > 0;
}
