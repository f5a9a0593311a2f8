#include "io/curl_options.h"

#include <string.h>

#include "io/connecting.h"
#include "io/receive.h"

#define ORIGIN_CAP 512       /* of a URL's bytes that tell where it leads */
#define NEVER_MS 0x7FFFFFFFL /* the clocks are the call's, not libcurl's */

/* The first failure stays in 'rc'. */
#define SET(option, value)                                                    \
  do {                                                                        \
    if (rc == CURLE_OK)                                                       \
      rc = curl_easy_setopt(h, option, value);                                \
  } while (0)

static CURLcode set_tls(CURL *h, const struct ofox_traffic *w,
                        const struct ofox_request *r) {
  CURLcode rc = CURLE_OK;
  /* whatever the system's configuration of TLS allows */
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  SET(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  SET(CURLOPT_SSL_VERIFYPEER, r->verify ? 1L : 0L);
  SET(CURLOPT_SSL_VERIFYHOST, r->verify ? 2L : 0L);
  if (r->files.ca_file != NULL || r->files.ca_path != NULL) {
    SET(CURLOPT_CAINFO, r->files.ca_file);
    SET(CURLOPT_CAPATH, r->files.ca_path);
  }
  else if (w->one_ca_file) {
    /* with both set, libcurl reads the store for each connection */
    SET(CURLOPT_CAPATH, NULL);
  }
  if (r->files.client_cert != NULL) {
    SET(CURLOPT_SSLCERT, r->files.client_cert);
    /* without any OpenSSL would ask for one on the terminal */
    SET(CURLOPT_KEYPASSWD,
        r->files.client_password != NULL ? r->files.client_password : "");
  }
  if (r->files.client_key != NULL)
    SET(CURLOPT_SSLKEY, r->files.client_key);
  return rc;
}

static CURLcode set_way(CURL *h, struct ofox_transfer *t,
                        const struct ofox_request *r) {
  CURLcode rc = CURLE_OK;
  int tls = ofox_span_ihas_prefix(ofox_span_of(r->url), "https:");
  int plain2 = !tls && r->http_version == 22;
  long version = CURL_HTTP_VERSION_2TLS;
  if (plain2)
    version = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
  else if (!tls || r->http_version == 11)
    version = CURL_HTTP_VERSION_1_1; /* nothing is waited for to share */
  /* libcurl 7.88 breaks on such a connection when it is used again */
  if (plain2 && curl_version_info(CURLVERSION_NOW)->version_num < 0x080000)
    SET(CURLOPT_FORBID_REUSE, 1L);
  SET(CURLOPT_URL, r->url);
  SET(CURLOPT_PATH_AS_IS, 1L);
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_HTTP_VERSION, version);
  SET(CURLOPT_FRESH_CONNECT, t->call->fresh ? 1L : 0L);
  SET(CURLOPT_CONNECTTIMEOUT_MS, NEVER_MS);
  SET(CURLOPT_QUICK_EXIT, 1L);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_TCP_KEEPALIVE, 1L);
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  SET(CURLOPT_OPENSOCKETFUNCTION, ofox_connecting_open);
  SET(CURLOPT_OPENSOCKETDATA, t);
  SET(CURLOPT_RESOLVER_START_FUNCTION, ofox_connecting_resolve);
  SET(CURLOPT_RESOLVER_START_DATA, t);
  SET(CURLOPT_CLOSESOCKETFUNCTION, ofox_connecting_close);
  SET(CURLOPT_CLOSESOCKETDATA, t->traffic);
  if (r->proxy != NULL)
    SET(CURLOPT_PROXY, r->proxy);
  if (r->unix_socket != NULL)
    SET(CURLOPT_UNIX_SOCKET_PATH, r->unix_socket);
  return rc;
}

static CURLcode set_message(CURL *h, struct ofox_transfer *t,
                            const struct ofox_request *r) {
  CURLcode rc = CURLE_OK;
  if (r->body.p != NULL) {
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
    SET(CURLOPT_POSTFIELDS, r->body.p);
  }
  if (strcmp(r->method, "HEAD") == 0)
    SET(CURLOPT_NOBODY, 1L);
  else if (strcmp(r->method, r->body.p != NULL ? "POST" : "GET") != 0)
    SET(CURLOPT_CUSTOMREQUEST, r->method);
  SET(CURLOPT_HTTPHEADER, t->headers);
  SET(CURLOPT_HEADERFUNCTION, ofox_receive_header);
  SET(CURLOPT_HEADERDATA, t);
  SET(CURLOPT_WRITEFUNCTION, ofox_receive_body);
  SET(CURLOPT_WRITEDATA, t);
  SET(CURLOPT_PREREQFUNCTION, ofox_connecting_request);
  SET(CURLOPT_PREREQDATA, t);
  SET(CURLOPT_ERRORBUFFER, t->detail);
  SET(CURLOPT_PRIVATE, t);
  return rc;
}

#undef SET

/* Not libcurl's option: it would decode by itself, the first member only. */
#define ACCEPT "Accept-Encoding"
#define ACCEPT_OURS ACCEPT ": gzip, deflate, br"

static int add_header(struct ofox_transfer *t, const char *line) {
  struct curl_slist *list = curl_slist_append(t->headers, line);
  if (list == NULL)
    return OFOX_EMEM;
  t->headers = list;
  return 0;
}

/* Where a connection of this request would be opened to; 0: what opens there
** does not depend on others. */
static unsigned long door_key(const struct ofox_request *r) {
  const char *options[8];
  int tls = ofox_span_ihas_prefix(ofox_span_of(r->url), "https:");
  unsigned long key;
  size_t i;
  char origin[ORIGIN_CAP];
  if (r->http_version == 11 || (!tls && r->http_version != 22))
    return 0;
  for (i = 0; i + 1 < sizeof(origin) && r->url[i] != '\0'; i++) {
    if (i > 8 && strchr("/?#", r->url[i]) != NULL)
      break;
    origin[i] = r->url[i];
  }
  origin[i] = '\0';
  options[0] = r->proxy;
  options[1] = r->unix_socket;
  options[2] = r->files.ca_file;
  options[3] = r->files.ca_path;
  options[4] = r->files.client_cert;
  options[5] = r->files.client_key;
  options[6] = r->files.client_password;
  options[7] = r->verify ? "" : NULL;
  key = ofox_connect_turns_key(0, origin);
  for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
    key = ofox_connect_turns_key(key, options[i]);
  return key | 1;
}

CURLcode ofox_curl_options_set(struct ofox_transfer *t,
                               const struct ofox_request *r) {
  unsigned long key = door_key(r);
  CURLcode rc;
  size_t i;
  int own = 0;
  if (key != 0 && (t->destination = ofox_connect_turns_enter(
                       &t->traffic->connect_turns, key)) == NULL)
    return CURLE_OUT_OF_MEMORY;
  if (r->max_connections > 0 &&
      ofox_traffic_limit(t->traffic, r->max_connections) != 0)
    return CURLE_OUT_OF_MEMORY;
  t->limit = r->max_connections;
  t->crowded = t->excused = 0;
  t->unix_key =
      r->unix_socket != NULL ? ofox_sockets_unix_key(r->unix_socket) : 0;
  t->upload = r->body.n;
  t->drained = 0;
  t->sends = t->resent = t->refused = t->stray = t->starved = 0;
  t->shares = 0;
  t->opened = -1;
  t->looked = 0;
  t->taken = 0;
  t->files = r->files;
  t->unix_socket = r->unix_socket;
  t->detail[0] = '\0';
  for (i = 0; r->headers[i] != NULL; i++) {
    if (add_header(t, r->headers[i]) != 0)
      return CURLE_OUT_OF_MEMORY;
    own |= ofox_span_ihas_prefix(ofox_span_of(r->headers[i]), ACCEPT);
  }
  for (i = 0; r->own != NULL && r->own[i] != NULL; i++) {
    if (add_header(t, r->own[i]) != 0)
      return CURLE_OUT_OF_MEMORY;
    own |= ofox_span_ihas_prefix(ofox_span_of(r->own[i]), ACCEPT);
  }
  if (!own && add_header(t, ACCEPT_OURS) != 0)
    return CURLE_OUT_OF_MEMORY;
  /* libcurl shall add none of these by itself */
  if (add_header(t, "Expect:") != 0 || add_header(t, "Content-Type:") != 0 ||
      add_header(t, "Accept:") != 0)
    return CURLE_OUT_OF_MEMORY;
  rc = set_tls(t->easy, t->traffic, r);
  if (rc == CURLE_OK)
    rc = set_way(t->easy, t, r);
  return rc == CURLE_OK ? set_message(t->easy, t, r) : rc;
}
