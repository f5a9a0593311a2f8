#include "redis/tls.h"

#include <stdio.h>

#ifdef OFOX_REDIS_TLS

#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct ofox_redis_tls {
  SSL_CTX *context;
  SSL *current;  /* the connection's, which hiredis frees */
  long verified; /* what OpenSSL said of the certificate */
  int is_address;
  char host[];
};

int ofox_redis_tls_is_there(void) {
  return 1;
}

/* hiredis would verify who has signed the certificate, but not whose it is. */
static int set_up(SSL_CTX *context, const char *ca_file) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  /* hiredis writes what it has, which may have moved */
  SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_ENABLE_PARTIAL_WRITE);
  if (ca_file != NULL)
    return SSL_CTX_load_verify_locations(context, ca_file, NULL);
  return SSL_CTX_set_default_verify_paths(context);
}

struct ofox_redis_tls *ofox_redis_tls_new(const char *host,
                                          const char *ca_file, char *problem,
                                          size_t size) {
  size_t n = strlen(host) + 1;
  struct ofox_redis_tls *t = calloc(1, sizeof(*t) + n);
  ASN1_OCTET_STRING *address;
  snprintf(problem, size, "not enough memory");
  if (t == NULL)
    return NULL;
  memcpy(t->host, host, n);
  address = a2i_IPADDRESS(host);
  t->is_address = address != NULL;
  ASN1_OCTET_STRING_free(address);
  t->context = SSL_CTX_new(TLS_client_method());
  if (t->context != NULL && set_up(t->context, ca_file) == 1) {
    ERR_clear_error();
    return t;
  }
  if (t->context != NULL)
    snprintf(problem, size, "ca_file: no certificates could be read from it");
  ERR_clear_error();
  ofox_redis_tls_delete(t);
  return NULL;
}

void ofox_redis_tls_delete(struct ofox_redis_tls *t) {
  if (t == NULL)
    return;
  SSL_CTX_free(t->context);
  free(t);
}

void ofox_redis_tls_enter(void) {
  ERR_clear_error();
}

static int expect_host(SSL *ssl, const struct ofox_redis_tls *t) {
  if (t->is_address)
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), t->host);
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, t->host) && SSL_set_tlsext_host_name(ssl, t->host);
}

int ofox_redis_tls_begin(struct ofox_redis_tls *t, struct redisContext *c) {
  SSL *ssl = SSL_new(t->context);
  t->verified = X509_V_OK;
  if (ssl == NULL)
    return -1;
  if (expect_host(ssl, t) != 1 || redisInitiateSSL(c, ssl) != REDIS_OK) {
    /* the server may have answered at once */
    t->verified = SSL_get_verify_result(ssl);
    SSL_free(ssl);
    return -1;
  }
  t->current = ssl;
  return 0;
}

const char *ofox_redis_tls_problem(struct ofox_redis_tls *t) {
  if (t == NULL)
    return NULL;
  if (t->current != NULL)
    t->verified = SSL_get_verify_result(t->current);
  t->current = NULL;
  return t->verified == X509_V_OK ? NULL
                                  : X509_verify_cert_error_string(t->verified);
}

#else

int ofox_redis_tls_is_there(void) {
  return 0;
}

struct ofox_redis_tls *ofox_redis_tls_new(const char *host,
                                          const char *ca_file, char *problem,
                                          size_t size) {
  (void)host;
  (void)ca_file;
  snprintf(problem, size, "%s",
           "rediss://: this build of ofox.redis has no TLS, for which make "
           "REDIS=1 wants hiredis_ssl (hiredis 1.0 or newer) and OpenSSL");
  return NULL;
}

void ofox_redis_tls_delete(struct ofox_redis_tls *t) {
  (void)t;
}

void ofox_redis_tls_enter(void) {
}

int ofox_redis_tls_begin(struct ofox_redis_tls *t, struct redisContext *c) {
  (void)t;
  (void)c;
  return -1;
}

const char *ofox_redis_tls_problem(struct ofox_redis_tls *t) {
  (void)t;
  return NULL;
}

#endif
