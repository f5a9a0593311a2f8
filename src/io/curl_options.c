#include "io/curl_options.h"

#include <string.h>

#include "io/connecting.h"
#include "io/mime.h"
#include "io/receive.h"

#define ORIGIN_CAP 512 /* bytes of a URL that determine its destination */
#define NEVER_MS 0x7FFFFFFFL /* the clocks are the call's, not libcurl's */

/* As libcurl itself parses CURLOPT_URL with CURLOPT_PATH_AS_IS. */
#define URL_FLAGS                                                             \
  (CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS)

/* The first failure stays in 'rc'. */
#define SET(option, value)                                                    \
  do {                                                                        \
    if (rc == CURLE_OK)                                                       \
      rc = curl_easy_setopt(h, option, value);                                \
  } while (0)

static CURLcode set_tls(CURL *h, const struct ofox_traffic *w,
                        const struct ofox_request *r) {
  CURLcode rc = CURLE_OK;
  /* regardless of the system's TLS configuration */
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

/* Has the URL parsed once for all requests of the plan; of one that this
** libcurl cannot parse the transfer will say so. */
static CURLcode set_url(struct ofox_handle *handle, const char *url) {
  CURLU *parsed = curl_url();
  if (parsed == NULL)
    return CURLE_OUT_OF_MEMORY;
  handle->url = parsed;
  if (curl_url_set(parsed, CURLUPART_URL, url, URL_FLAGS) != CURLUE_OK)
    return curl_easy_setopt(handle->easy, CURLOPT_URL, url);
  return curl_easy_setopt(handle->easy, CURLOPT_CURLU, parsed);
}

static CURLcode set_way(CURL *h, struct ofox_handle *handle,
                        struct ofox_traffic *w, const struct ofox_request *r) {
  CURLcode rc = CURLE_OK;
  int tls = ofox_span_ihas_prefix(ofox_span_of(r->url), "https:");
  int plain2 = !tls && r->http_version == 22;
  long version = CURL_HTTP_VERSION_2TLS;
  if (plain2)
    version = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
  else if (!tls || r->http_version == 11)
    version = CURL_HTTP_VERSION_1_1; /* do not wait to share a connection */
  /* libcurl 7.88 breaks on such a connection when it is used again */
  if (plain2 && curl_version_info(CURLVERSION_NOW)->version_num < 0x080000)
    SET(CURLOPT_FORBID_REUSE, 1L);
  if (rc == CURLE_OK)
    rc = set_url(handle, r->url);
  SET(CURLOPT_PATH_AS_IS, 1L);
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_HTTP_VERSION, version);
  SET(CURLOPT_CONNECTTIMEOUT_MS, NEVER_MS);
  SET(CURLOPT_QUICK_EXIT, 1L);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_TCP_KEEPALIVE, 1L);
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  SET(CURLOPT_OPENSOCKETFUNCTION, ofox_connecting_open);
  SET(CURLOPT_OPENSOCKETDATA, handle);
  SET(CURLOPT_RESOLVER_START_FUNCTION, ofox_connecting_resolve);
  SET(CURLOPT_RESOLVER_START_DATA, handle);
  SET(CURLOPT_CLOSESOCKETFUNCTION, ofox_connecting_close);
  SET(CURLOPT_CLOSESOCKETDATA, w);
  if (r->proxy != NULL)
    SET(CURLOPT_PROXY, r->proxy);
  if (r->proxy != NULL && r->proxy[0] == '\0')
    SET(CURLOPT_NOPROXY, "*"); /* else the environment is read for each call */
  if (r->unix_socket != NULL)
    SET(CURLOPT_UNIX_SOCKET_PATH, r->unix_socket);
  return rc;
}

static enum ofox_sends sends_of(const struct ofox_request *r) {
  if (r->form != NULL)
    return OFOX_SENDS_FORM;
  return r->body.p != NULL ? OFOX_SENDS_BYTES : OFOX_SENDS_NOTHING;
}

static CURLcode set_message(CURL *h, struct ofox_handle *handle,
                            const struct ofox_request *r) {
  CURLcode rc = CURLE_OK;
  if (strcmp(r->method, "HEAD") == 0)
    SET(CURLOPT_NOBODY, 1L);
  else if (strcmp(r->method,
                  sends_of(r) != OFOX_SENDS_NOTHING ? "POST" : "GET") != 0)
    SET(CURLOPT_CUSTOMREQUEST, r->method);
  SET(CURLOPT_HEADERFUNCTION, ofox_receive_header);
  SET(CURLOPT_HEADERDATA, handle);
  SET(CURLOPT_WRITEFUNCTION, ofox_receive_body);
  SET(CURLOPT_WRITEDATA, handle);
  SET(CURLOPT_PREREQFUNCTION, ofox_connecting_request);
  SET(CURLOPT_PREREQDATA, handle);
  SET(CURLOPT_PRIVATE, handle);
  return rc;
}

/* A form, whose first attempt this may be. */
static CURLcode set_form(struct ofox_transfer *t, struct ofox_form *form) {
  CURLcode rc;
  if (form == NULL || t->mime != NULL)
    return CURLE_OK;
  t->mime = ofox_mime_new(t->handle->easy, form);
  if (t->mime == NULL)
    return CURLE_OUT_OF_MEMORY;
  rc = curl_easy_setopt(t->handle->easy, CURLOPT_MIMEPOST, t->mime);
  if (rc != CURLE_OK) { /* the next attempt would go out without it */
    curl_mime_free(t->mime);
    t->mime = NULL;
  }
  return rc;
}

/* What differs between the requests of a plan. */
static CURLcode set_rest(struct ofox_transfer *t,
                         const struct ofox_request *r) {
  struct ofox_handle *handle = t->handle;
  CURL *h = handle->easy;
  CURLcode rc = CURLE_OK;
  SET(CURLOPT_ERRORBUFFER, t->detail); /* first: that of the last is gone */
  if (ofox_header_lines_own(&handle->lines, r->own) != 0)
    return CURLE_OUT_OF_MEMORY;
  if (handle->first != handle->lines.first)
    SET(CURLOPT_HTTPHEADER, handle->lines.first);
  handle->first = handle->lines.first;
  if (r->body.p != NULL) {
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
    SET(CURLOPT_POSTFIELDS, r->body.p);
  }
  if (rc == CURLE_OK)
    rc = set_form(t, r->form);
  if (handle->fresh != !!t->call->fresh)
    SET(CURLOPT_FRESH_CONNECT, t->call->fresh ? 1L : 0L);
  handle->fresh = !!t->call->fresh;
  return rc;
}

#undef SET

/* The destination of a connection of this request; 0: opening it does not
** depend on others. */
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

/* Everything that the requests of a plan have in common. */
static CURLcode configure(struct ofox_handle *h, struct ofox_traffic *w,
                          const struct ofox_request *r) {
  CURLcode rc;
  if (h->plan != 0)
    ofox_handle_reset(h);
  h->destination = door_key(r);
  h->unix_key =
      r->unix_socket != NULL ? ofox_sockets_unix_key(r->unix_socket) : 0;
  h->sends = sends_of(r);
  if (ofox_header_lines_share(&h->lines, r->headers, h->sends) != 0)
    return CURLE_OUT_OF_MEMORY;
  rc = set_tls(h->easy, w, r);
  if (rc == CURLE_OK)
    rc = set_way(h->easy, h, w, r);
  if (rc == CURLE_OK)
    rc = set_message(h->easy, h, r);
  if (rc == CURLE_OK)
    h->plan = r->plan;
  return rc;
}

/* The transfer starts over. */
static void begin(struct ofox_transfer *t, const struct ofox_request *r) {
  t->unix_key = t->handle->unix_key;
  t->upload = r->body.n;
  t->form = r->form;
  t->drained = 0;
  t->crowded = t->excused = 0;
  t->sends = t->resent = t->refused = t->stray = t->starved = t->whole = 0;
  t->shares = 0;
  t->opened = -1;
  t->looked = 0;
  t->taken = 0;
  t->files = r->files;
  t->unix_socket = r->unix_socket;
  t->detail[0] = '\0';
}

CURLcode ofox_curl_options_set(struct ofox_transfer *t,
                               const struct ofox_request *r) {
  struct ofox_traffic *w = t->traffic;
  /* the handle of a form serves all its attempts */
  struct ofox_handle *h =
      t->handle != NULL ? t->handle : ofox_handles_take(&w->handles, r->plan);
  CURLcode rc = CURLE_OK;
  if (h == NULL)
    return CURLE_OUT_OF_MEMORY;
  t->handle = h;
  t->easy = h->easy;
  h->transfer = t;
  if (h->plan == 0 || h->plan != r->plan || h->sends != sends_of(r))
    rc = configure(h, w, r);
  begin(t, r);
  if (h->destination != 0 && (t->destination = ofox_connect_turns_enter(
                                  &w->connect_turns, h->destination)) == NULL)
    return CURLE_OUT_OF_MEMORY;
  if (r->max_connections > 0 && ofox_traffic_limit(w, r->max_connections) != 0)
    return CURLE_OUT_OF_MEMORY;
  t->limit = r->max_connections;
  return rc == CURLE_OK ? set_rest(t, r) : rc;
}
