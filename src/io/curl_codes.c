#define _POSIX_C_SOURCE 200809L
#include "io/curl_codes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "io/form.h"
#include "io/socks_codes.h"

static const struct {
  CURLcode code;
  enum ofox_outcome outcome;
} OUTCOMES[] = {
    {CURLE_OK, OFOX_OUTCOME_ANSWERED},
    {CURLE_UNSUPPORTED_PROTOCOL, OFOX_OUTCOME_PROTOCOL}, /* "HTTP/0.9" */
    {CURLE_URL_MALFORMAT, OFOX_OUTCOME_DNS}, /* it has no recognizable host */
    {CURLE_COULDNT_RESOLVE_PROXY, OFOX_OUTCOME_DNS},
    {CURLE_COULDNT_RESOLVE_HOST, OFOX_OUTCOME_DNS},
    {CURLE_COULDNT_CONNECT, OFOX_OUTCOME_REFUSED},
    {CURLE_WEIRD_SERVER_REPLY, OFOX_OUTCOME_PROTOCOL},
    {CURLE_PROXY, OFOX_OUTCOME_REFUSED},
    {CURLE_HTTP2, OFOX_OUTCOME_RESET},
    {CURLE_HTTP2_STREAM, OFOX_OUTCOME_RESET},
    {CURLE_PARTIAL_FILE, OFOX_OUTCOME_TRUNCATED},
    {CURLE_OPERATION_TIMEDOUT, OFOX_OUTCOME_TIMEOUT},
    {CURLE_SSL_CONNECT_ERROR, OFOX_OUTCOME_HANDSHAKE},
    {CURLE_SSL_CIPHER, OFOX_OUTCOME_HANDSHAKE},
    {CURLE_SSL_CERTPROBLEM, OFOX_OUTCOME_CERTIFICATE},
    {CURLE_SSL_CLIENTCERT, OFOX_OUTCOME_CERTIFICATE},
    {CURLE_SSL_CACERT_BADFILE, OFOX_OUTCOME_CERTIFICATE},
    {CURLE_PEER_FAILED_VERIFICATION, OFOX_OUTCOME_CERTIFICATE},
    {CURLE_GOT_NOTHING, OFOX_OUTCOME_EMPTY_REPLY},
    {CURLE_SEND_ERROR, OFOX_OUTCOME_SEND},
    {CURLE_SEND_FAIL_REWIND, OFOX_OUTCOME_SEND},
    {CURLE_RECV_ERROR, OFOX_OUTCOME_RESET},
    {CURLE_WRITE_ERROR, OFOX_OUTCOME_ENCODING}, /* of a transfer coding */
    {CURLE_BAD_CONTENT_ENCODING, OFOX_OUTCOME_ENCODING},
    {(CURLcode)100, OFOX_OUTCOME_TOO_LARGE}, /* CURLE_TOO_LARGE of 8.6 */
};

static enum ofox_outcome by_code(CURLcode rc) {
  const size_t n = sizeof(OUTCOMES) / sizeof(OUTCOMES[0]);
  size_t i = 0;
  while (i < n && OUTCOMES[i].code != rc)
    i++;
  return i < n ? OUTCOMES[i].outcome : OFOX_OUTCOME_PROTOCOL;
}

static int says(const struct ofox_transfer *t, const char *words) {
  return ofox_span_ifind(ofox_span_of(t->detail), words) != (size_t)-1;
}

/* Replaces the outcome's own message; see ofox_call_end. */
static void tell(struct ofox_transfer *t, const char *what, const char *more) {
  t->detail[0] = '!';
  snprintf(t->detail + 1, sizeof(t->detail) - 1, "%s%s", what, more);
}

static long info(const struct ofox_transfer *t, CURLINFO what) {
  long v = 0;
  curl_easy_getinfo(t->easy, what, &v);
  return v;
}

/* Bodies */

/* A coding of the body is unknown, or broken. */
static enum ofox_outcome undecodable(struct ofox_transfer *t) {
  if (t->coding.reason != NULL)
    tell(t, "the answer could not be decoded: ", t->coding.reason);
  return OFOX_OUTCOME_ENCODING;
}

/*
** The body ended, but its compressed data did not: a truncation, where nothing
** declares the length of the body. Events have an end of their own.
*/
static enum ofox_outcome ended(struct ofox_transfer *t) {
  const struct ofox_response *r;
  size_t pos;
  if (t->call == NULL || ofox_content_coding_finish(&t->coding) == 0)
    return OFOX_OUTCOME_ANSWERED;
  r = &t->call->response;
  if (r->kind == OFOX_VERDICT_EVENTS)
    return OFOX_OUTCOME_TRUNCATED;
  if (ofox_verdict_is_framed(&r->head))
    return undecodable(t);
  /* what is not JSON before the cut would not have been JSON */
  return r->config->expect != OFOX_EXPECT_RAW &&
                 ofox_json_check(ofox_buf_span(&r->body), &pos) < 0
             ? OFOX_OUTCOME_ANSWERED
             : OFOX_OUTCOME_TRUNCATED;
}

/* Proxies */

/* What an HTTP proxy answered to CONNECT. */
static enum ofox_outcome no_tunnel(struct ofox_transfer *t, long status) {
  char text[sizeof("it answered 999 to CONNECT")];
  snprintf(text, sizeof(text), "it answered %d to CONNECT",
           (int)(status % 1000));
  switch (status) {
  case 401:
    tell(t, "the proxy refused the login: ", text);
    return OFOX_OUTCOME_PROXY_AUTH;
  case 407:
    tell(t, "the proxy requires authentication, or refused the login: ", text);
    return OFOX_OUTCOME_PROXY_AUTH;
  case 403:
    tell(t, "the proxy does not allow this connection: ", text);
    return OFOX_OUTCOME_PROXY_REFUSED;
  default:
    tell(t, "the proxy could not connect: ", text);
    return OFOX_OUTCOME_REFUSED;
  }
}

/* libcurl quotes the URL of a proxy that it cannot parse; a login in it may be
** too short to be redacted. */
static void hide_login(struct ofox_transfer *t) {
  char *quote = says(t, "unsupported proxy") ? strchr(t->detail, '\'') : NULL;
  char *at = quote != NULL ? strrchr(quote, '@') : NULL;
  if (at != NULL)
    memmove(quote + 1, at + 1, strlen(at + 1) + 1);
}

static enum ofox_outcome no_socks(struct ofox_transfer *t) {
  const char *message;
  enum ofox_outcome o =
      ofox_socks_codes_outcome(info(t, CURLINFO_PROXY_ERROR), &message);
  if (message != NULL)
    tell(t, message, "");
  return o;
}

/* TLS */

/*
** An alert from the server about the client's certificate. With TLS 1.3 it
** arrives after the handshake is over for the client, instead of an answer.
*/
static int is_about_client(const struct ofox_transfer *t, CURLcode rc) {
  if (rc == CURLE_SSL_CLIENTCERT)
    return 1;
  return (rc == CURLE_SSL_CONNECT_ERROR || rc == CURLE_RECV_ERROR ||
          rc == CURLE_SEND_ERROR) &&
         says(t, " alert ") &&
         (says(t, "certificate") || says(t, "unknown ca") ||
          says(t, "access denied"));
}

/*
** A handshake that the other side aborted, which is not a refusal. Each
** release of libcurl and OpenSSL words it differently; TLS has no reason for
** it, and none of these is a reason of TLS.
*/
static int was_left(const struct ofox_transfer *t) {
  static const char *const words[] = {"SYSCALL",        "reset by peer",
                                      "unexpected eof", "reason(0)",
                                      "broken pipe",    "connection aborted"};
  long why = info(t, CURLINFO_OS_ERRNO);
  size_t i;
  for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    if (says(t, words[i]))
      return 1;
  }
  return !says(t, "error:") && (why == ECONNRESET || why == EPIPE);
}

static enum ofox_outcome no_tls(struct ofox_transfer *t, CURLcode rc) {
  char *out = t->detail + 1;
  size_t cap = sizeof(t->detail) - 1;
  if (is_about_client(t, rc)) {
    tell(t,
         t->files.client_cert == NULL
             ? "the server requires a client certificate (option client_cert)"
             : "the server did not accept the client certificate",
         "");
    return OFOX_OUTCOME_CERTIFICATE;
  }
  if (rc == CURLE_SSL_CONNECT_ERROR && was_left(t))
    return OFOX_OUTCOME_RESET;
  if (ofox_tls_files_unreadable(&t->files, out, cap) ||
      (rc == CURLE_SSL_CERTPROBLEM && ofox_tls_files_own(&t->files, out, cap)))
    t->detail[0] = '!';
  else if (rc == CURLE_SSL_CACERT_BADFILE && t->files.ca_file != NULL)
    tell(t, "ca_file contains no certificates: ", t->files.ca_file);
  else
    return by_code(rc);
  return OFOX_OUTCOME_CERTIFICATE;
}

/* Sockets */

static void no_unix_socket(struct ofox_transfer *t) {
  long why = info(t, CURLINFO_OS_ERRNO);
  t->detail[0] = '!';
  snprintf(t->detail + 1, sizeof(t->detail) - 1,
           "unix_socket cannot be reached (%s): %s",
           why != 0 ? strerror((int)why) : "no connection", t->unix_socket);
}

/* libcurl has one code for several outcomes: its notes distinguish them. */
static enum ofox_outcome of_code(struct ofox_transfer *t, CURLcode rc) {
  long tunnel = info(t, CURLINFO_HTTP_CONNECTCODE);
  enum ofox_outcome o = by_code(rc);
  hide_login(t);
  if (t->sends == 0 && tunnel >= 300)
    return no_tunnel(t, tunnel);
  if (rc == CURLE_PROXY)
    return no_socks(t);
  if (ofox_outcomes[o].cls == OFOX_CLASS_TLS || is_about_client(t, rc))
    return no_tls(t, rc);
  if (rc == CURLE_COULDNT_CONNECT && t->unix_socket != NULL)
    no_unix_socket(t);
  if (rc == CURLE_RECV_ERROR && says(t, "response headers"))
    return OFOX_OUTCOME_TOO_LARGE;
  if (rc == CURLE_RECV_ERROR && says(t, "chunk"))
    return OFOX_OUTCOME_PROTOCOL;
  return o;
}

static const char EITHER[] = "a header line, or there was not enough memory";

/*
** Before libcurl 8.6 a header line longer than its limit is reported as lack
** of memory. In headers it may be either.
*/
static int may_be_long_line(const struct ofox_transfer *t) {
  return t->sends > 0 && t->call != NULL &&
         !ofox_call_headers(t->call)->complete &&
         curl_version_info(CURLVERSION_NOW)->version_num < 0x080600;
}

/* Without memory to format a URL that it has parsed, libcurl reports that it
** has none. */
static int is_memory(const struct ofox_transfer *t, CURLcode rc) {
  return rc == CURLE_OUT_OF_MEMORY ||
         (rc == CURLE_URL_MALFORMAT && says(t, "No URL set"));
}

/* libcurl reports lack of memory. */
static enum ofox_outcome without_memory(struct ofox_transfer *t) {
  if (may_be_long_line(t)) {
    memcpy(t->detail, EITHER, sizeof(EITHER));
    return OFOX_OUTCOME_TOO_LARGE;
  }
  if (t->call != NULL)
    ofox_call_starve(t->call);
  return OFOX_OUTCOME_SEND;
}

/* Where libcurl does not say why no descriptor was available. */
static int may_be_starved(CURLcode rc) {
  return rc == CURLE_COULDNT_RESOLVE_HOST ||
         rc == CURLE_COULDNT_RESOLVE_PROXY || rc == CURLE_OUT_OF_MEMORY ||
         rc == CURLE_FAILED_INIT || rc == CURLE_SSL_CERTPROBLEM ||
         rc == CURLE_SSL_CACERT_BADFILE;
}

static const char REFUSED[] = "the server has refused the stream";

/* Before libcurl 8, which tries to send again, a GOAWAY that excludes the
** request ends this way. */
static int is_goaway(const struct ofox_transfer *t, CURLcode rc) {
  return rc == CURLE_HTTP2 && t->detail[0] == '\0' && t->call != NULL &&
         ofox_call_headers(t->call)->status == 0 &&
         curl_version_info(CURLVERSION_NOW)->version_num < 0x080000;
}

enum ofox_outcome ofox_curl_codes_outcome(struct ofox_transfer *t,
                                          CURLcode rc) {
  if (t->sends == 0 &&
      (t->starved || (may_be_starved(rc) && ofox_sockets_are_short()))) {
    t->detail[0] = '\0';
    return OFOX_OUTCOME_NO_DESCRIPTORS;
  }
  if (t->form != NULL && t->form->outcome != OFOX_OUTCOME_ANSWERED) {
    tell(t, t->form->why + 1, "");
    return t->form->outcome;
  }
  t->refused |= is_goaway(t, rc);
  if (t->refused) {
    memcpy(t->detail, REFUSED, sizeof(REFUSED));
    return OFOX_OUTCOME_RESET;
  }
  if (t->resent) {
    t->detail[0] = '\0'; /* it describes what we did, not what happened */
    return OFOX_OUTCOME_EMPTY_REPLY;
  }
  if (is_memory(t, rc))
    return without_memory(t);
  if (rc == CURLE_WRITE_ERROR && t->coding.error != 0)
    return undecodable(t);
  return rc == CURLE_OK ? ended(t) : of_code(t, rc);
}
