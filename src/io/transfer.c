#define _GNU_SOURCE
#include "io/transfer.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "io/engine.h"
#include "io/clocks.h"
#include "wire/words.h"

/* What is read after the end of a stream to keep its connection. */
#define DRAIN_BYTES (64 * 1024)
#define DRAIN_SECONDS 1.0

#define DECODED (16 * 1024) /* bytes that are handed on at once */
#define MUCH (1024 * 1024)  /* decoded bytes after which others have a turn */
#define ORIGIN_CAP 512      /* of a URL's bytes that tell where it leads */

#define NEVER_MS 0x7FFFFFFFL /* the clocks are the call's, not libcurl's */

void ofox_traffic_expect(struct ofox_traffic *w,
                         const struct ofox_transfer *t) {
  w->next_due = fmin(w->next_due,
                     t->call != NULL ? ofox_call_due(t->call) : t->drained_by);
}

/* What libcurl tells: notes are taken, calls are fed, nothing else */

static void look_earlier(struct ofox_transfer *t) {
  t->progress = t->traffic->turn;
  ofox_traffic_expect(t->traffic, t);
}

int ofox_transfer_drain(struct ofox_transfer *t, double now) {
  curl_off_t sent = 0;
  t->version = t->call->response.head.version;
  ofox_content_coding_free(&t->coding);
  ofox_call_let_go(t->call);
  t->call = NULL;
  t->traffic->draining++;
  t->drained_by = now + DRAIN_SECONDS;
  ofox_traffic_expect(t->traffic, t);
  curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
  /* the bytes of the request are the call's */
  return sent >= 0 && (size_t)sent >= t->upload ? 0 : -1;
}

/*
** libcurl undoes what the body is coded with on its way, and would for as long
** as a few bytes make it: only chunks are asked for. 0, or negative: stop.
*/
static int check_way(struct ofox_transfer *t) {
  const struct ofox_headers *h = &t->call->response.head;
  struct ofox_span name, value;
  size_t i, n = h->complete ? ofox_headers_count(h) : 0;
  for (i = 0; i < n; i++) {
    ofox_headers_at(h, i, &name, &value);
    if (!ofox_span_eq(name, "transfer-encoding") || value.n == 0 ||
        ofox_words_has("chunked identity chunked,identity identity,chunked",
                       value))
      continue;
    t->coding.error = OFOX_ESYNTAX;
    t->coding.reason = "a transfer coding that was not asked for";
    return OFOX_ESYNTAX;
  }
  return 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *user) {
  struct ofox_transfer *t = user;
  int trailer;
  if (t->call == NULL) {
    t->drained += size * n;
    return t->drained <= DRAIN_BYTES ? size * n : 0;
  }
  trailer = t->call->response.head.complete;
  if (ofox_call_head(t->call, p, size * n, ofox_clocks_now()) != 0 ||
      (!trailer && check_way(t) != 0))
    return 0;
  look_earlier(t);
  return size * n;
}

/* Finds out what codes a body, when it begins. */
static void find_coding(struct ofox_transfer *t) {
  const struct ofox_headers *h = &t->call->response.head;
  struct ofox_span name, value;
  size_t i, n = t->looked ? 0 : ofox_headers_count(h);
  t->looked = 1;
  for (i = 0; i < n; i++) {
    ofox_headers_at(h, i, &name, &value);
    if (ofox_span_eq(name, "content-encoding"))
      ofox_content_coding_add(&t->coding, value);
  }
}

/* Bytes of the body as the call wants them. 0, or negative: stop. */
static int hand_on(struct ofox_transfer *t, const char *p, size_t n,
                   double now) {
  struct ofox_call *c = t->call;
  int rc = ofox_call_body(c, p, n, now);
  if (rc == 0 && c->state == OFOX_DONE)
    rc = ofox_transfer_drain(t, now);
  return rc;
}

/*
** A failure whose headers say more of its body than is true: it is read as it
** is, for there may be words in it.
*/
static int is_page(const struct ofox_response *r) {
  return ofox_response_is_failure(r) && r->body.n == 0;
}

/*
** Bytes of a body that is coded: 0, negative, or 1: the same bytes must come
** again, since the reader is slow or this has gone on for long. A few of them
** may decode to very many, so that both are seen in the middle of them, too.
*/
static int decode(struct ofox_transfer *t, const char *p, size_t n,
                  double now) {
  struct ofox_span in = {p, n};
  char out[DECODED];
  size_t skip = t->taken < n ? t->taken : n, got, done = 0;
  int rc = 1;
  in.p += skip;
  in.n -= skip;
  t->taken -= skip;
  while (rc == 1) {
    t->traffic->resume |= done >= MUCH;
    if (done >= MUCH || ofox_event_queue_is_full(&t->call->response.events)) {
      t->taken += n - in.n;
      return 1;
    }
    rc = ofox_content_coding_next(&t->coding, &in, out, sizeof(out), &got);
    done += got > 0 ? got : sizeof(out);
    if (rc == OFOX_EMEM)
      t->call->no_memory = 1;
    if (rc == OFOX_ESYNTAX && is_page(&t->call->response)) {
      ofox_content_coding_free(&t->coding);
      return hand_on(t, p, n, now);
    }
    if (rc == 1 && got > 0 && (rc = hand_on(t, out, got, now)) == 0)
      rc =
          t->call != NULL; /* else the stream has ended, the rest is drained */
  }
  return rc;
}

static size_t on_body(char *p, size_t size, size_t n, void *user) {
  struct ofox_transfer *t = user;
  struct ofox_call *c = t->call;
  double now;
  int rc = 1; /* the reader is slow */
  t->progress = t->traffic->turn;
  if (c == NULL) {
    t->drained += size * n;
    return t->drained <= DRAIN_BYTES ? size * n : 0;
  }
  now = ofox_clocks_now();
  find_coding(t);
  if (ofox_content_coding_any(&t->coding))
    rc = decode(t, p, size * n, now);
  else if (!ofox_event_queue_is_full(&c->response.events))
    rc = hand_on(t, p, size * n, now);
  if (rc == 1) {
    ofox_call_pause(c, 1, now);
    return CURL_WRITEFUNC_PAUSE;
  }
  return rc == 0 ? size * n : 0;
}

/* 1: others are opening the connection that it may use, too. */
static int is_crowded(struct ofox_transfer *t) {
  t->crowded |= !ofox_connect_turns_open(t->destination, t);
  return t->crowded;
}

/* Called when a name is about to be looked up. */
static int on_resolve(void *resolver, void *reserved, void *user) {
  struct ofox_transfer *t = user;
  (void)resolver;
  (void)reserved;
  if (t->call != NULL) {
    if (is_crowded(t))
      return 1;
    ofox_call_connect(t->call, ofox_clocks_now());
    look_earlier(t);
  }
  return 0;
}

/*
** libcurl is about to send the request again by itself. It does where a
** connection that was used before has died, and says of what; over HTTP/2 it
** also does, without a word, where the server has refused the stream.
*/
static void note_resend(struct ofox_transfer *t) {
  if (t->resent || t->call == NULL)
    return;
  t->resent = 1;
  t->refused = (t->opened >= 0 || t->shares) && t->detail[0] == '\0';
}

/*
** Called each time a request is about to be sent (CURLOPT_PREREQFUNCTION).
** libcurl would send it again by itself when a reused connection dies; that
** is refused, since the call counts its attempts: here on another kept
** connection, in on_open before there is a new one.
*/
static int on_request(void *user, char *peer, char *local, int peer_port,
                      int local_port) {
  struct ofox_transfer *t = user;
  unsigned long key = t->unix_key;
  enum ofox_claim claim;
  long connects = 0;
  if (t->sends++ > 0 || t->call == NULL) {
    note_resend(t);
    return CURL_PREREQFUNC_ABORT;
  }
  if (key == 0)
    key = ofox_sockets_key(local, local_port, peer, peer_port);
  curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
  if (connects == 0)
    t->opened = -1;
  claim = ofox_sockets_claim(&t->traffic->sockets, key, t->opened, &t->socket);
  if (claim == OFOX_CLAIM_STRAY) {
    t->stray = 1;
    return CURL_PREREQFUNC_ABORT;
  }
  t->shares = claim == OFOX_CLAIM_SHARED;
  ofox_connect_turns_pass(&t->traffic->connect_turns, t->destination, t,
                          t->shares);
  t->asked = ofox_clocks_now();
  ofox_call_connected(t->call, connects == 0, t->asked);
  ofox_traffic_expect(t->traffic, t);
  return CURL_PREREQFUNC_OK;
}

static curl_socket_t on_open(void *user, curlsocktype purpose,
                             struct curl_sockaddr *a) {
  struct ofox_transfer *t = user;
  const char *path = NULL;
  (void)purpose;
  if (t->sends > 0 || t->call == NULL) {
    note_resend(t);
    return CURL_SOCKET_BAD;
  }
  if (is_crowded(t))
    return CURL_SOCKET_BAD;
  ofox_call_connect(t->call, ofox_clocks_now());
  look_earlier(t);
  if (a->family == AF_UNIX)
    path = ((const struct sockaddr_un *)(const void *)&a->addr)->sun_path;
  t->opened = ofox_sockets_open(&t->traffic->sockets, a->family, a->socktype,
                                a->protocol, path);
  if (t->opened < 0) {
    t->call->no_memory |= errno == ENOMEM;
    t->starved |= errno == EMFILE || errno == ENFILE;
  }
  return t->opened;
}

static int on_close(void *user, curl_socket_t fd) {
  struct ofox_traffic *w = user;
  ofox_poller_set(w->poller, fd, 0);
  ofox_sockets_close(&w->sockets, fd);
  return 0;
}

/* Options of a request: the first failure stays in 'rc' */

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

static CURLcode set_route(CURL *h, struct ofox_transfer *t,
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
  SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
  SET(CURLOPT_OPENSOCKETDATA, t);
  SET(CURLOPT_RESOLVER_START_FUNCTION, on_resolve);
  SET(CURLOPT_RESOLVER_START_DATA, t);
  SET(CURLOPT_CLOSESOCKETFUNCTION, on_close);
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
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, t);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, t);
  SET(CURLOPT_PREREQFUNCTION, on_request);
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

CURLcode ofox_transfer_prepare(struct ofox_transfer *t,
                               const struct ofox_request *r) {
  unsigned long key = door_key(r);
  CURLcode rc;
  size_t i;
  int own = 0;
  if (key != 0 && (t->destination = ofox_connect_turns_enter(
                       &t->traffic->connect_turns, key)) == NULL)
    return CURLE_OUT_OF_MEMORY;
  t->crowded = t->excused = 0;
  t->unix_key =
      r->unix_socket != NULL ? ofox_sockets_unix_key(r->unix_socket) : 0;
  t->limit = r->max_connections;
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
  if (!own && add_header(t, ACCEPT_OURS) != 0)
    return CURLE_OUT_OF_MEMORY;
  /* libcurl shall add none of these by itself */
  if (add_header(t, "Expect:") != 0 || add_header(t, "Content-Type:") != 0 ||
      add_header(t, "Accept:") != 0)
    return CURLE_OUT_OF_MEMORY;
  rc = set_tls(t->easy, t->traffic, r);
  if (rc == CURLE_OK)
    rc = set_route(t->easy, t, r);
  return rc == CURLE_OK ? set_message(t->easy, t, r) : rc;
}

void ofox_transfer_clear(struct ofox_transfer *t) {
  curl_slist_free_all(t->headers);
  t->headers = NULL;
  ofox_content_coding_free(&t->coding);
}

int ofox_transfer_is_silent(const struct ofox_transfer *t, double patience,
                            double now) {
  const struct ofox_call *c = t->call;
  double since, heard;
  if (c == NULL || c->clock.paused)
    return 0;
  heard = ofox_sockets_heard(&t->traffic->sockets, &t->socket);
  since = fmax(t->asked, c->clock.byte_at);
  return now - since >= patience && heard <= since + (now - since) / 2;
}

int ofox_transfer_sent(struct ofox_transfer *t) {
  long n = 0;
  return !t->refused && t->easy != NULL && t->sends > 0 &&
         curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &n) == CURLE_OK &&
         n > 0;
}

const char *ofox_engine_curl(void) {
  return curl_version();
}
