#include "outcome.h"

#include <string.h>

static const struct {
  CURLcode code;
  enum ofox_outcome outcome;
} OUTCOMES[] = {
    {CURLE_OK, OFOX_OUTCOME_ANSWERED},
    {CURLE_UNSUPPORTED_PROTOCOL, OFOX_OUTCOME_PROTOCOL}, /* "HTTP/0.9" */
    {CURLE_URL_MALFORMAT, OFOX_OUTCOME_DNS}, /* no host can be told from it */
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
    {CURLE_BAD_CONTENT_ENCODING, OFOX_OUTCOME_ENCODING},
    {(CURLcode)100, OFOX_OUTCOME_TOO_LARGE}, /* CURLE_TOO_LARGE of 8.6 */
};

/* libcurl has one code for several ends; its message tells them apart. */
static enum ofox_outcome refine(struct ofox_transfer *t, CURLcode rc,
                                enum ofox_outcome o) {
  struct ofox_span text = ofox_span_of(t->detail);
  long proxy = 0;
  curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &proxy);
  if (rc == CURLE_RECV_ERROR && proxy >= 300)
    return proxy == 407 ? OFOX_OUTCOME_PROXY_AUTH : OFOX_OUTCOME_REFUSED;
  if (rc == CURLE_RECV_ERROR &&
      ofox_span_ifind(text, "response headers") != (size_t)-1)
    return OFOX_OUTCOME_TOO_LARGE;
  if (rc == CURLE_RECV_ERROR && ofox_span_ifind(text, "chunk") != (size_t)-1)
    return OFOX_OUTCOME_PROTOCOL;
  if (rc == CURLE_SSL_CONNECT_ERROR &&
      (ofox_span_ifind(text, "SYSCALL") != (size_t)-1 ||
       ofox_span_ifind(text, "reset by peer") != (size_t)-1))
    return OFOX_OUTCOME_RESET;
  return o;
}

static const char EITHER[] = "a header line, or there was not enough memory";

/*
** For libcurl before 8.6 a header line that is longer than it will hold is
** want of memory. Among headers it may be either.
*/
static int may_be_long_line(const struct ofox_transfer *t) {
  return t->sends > 0 && t->call != NULL && !t->call->reply.head.complete &&
         curl_version_info(CURLVERSION_NOW)->version_num < 0x080600;
}

/* libcurl lacked memory, or says so. */
static enum ofox_outcome without_memory(struct ofox_transfer *t) {
  if (may_be_long_line(t)) {
    memcpy(t->detail, EITHER, sizeof(EITHER));
    return OFOX_OUTCOME_TOO_LARGE;
  }
  if (t->call != NULL)
    t->call->no_memory = 1;
  return OFOX_OUTCOME_SEND;
}

/* Where libcurl does not say why a descriptor could not be had. */
static int may_be_starved(CURLcode rc) {
  return rc == CURLE_COULDNT_RESOLVE_HOST ||
         rc == CURLE_COULDNT_RESOLVE_PROXY || rc == CURLE_OUT_OF_MEMORY ||
         rc == CURLE_FAILED_INIT || rc == CURLE_SSL_CERTPROBLEM ||
         rc == CURLE_SSL_CACERT_BADFILE;
}

static const char REFUSED[] = "the server has refused the stream";

/* Before libcurl 8, which wants to send again, a GOAWAY that leaves the
** request out ends so. */
static int is_goaway(const struct ofox_transfer *t, CURLcode rc) {
  return rc == CURLE_HTTP2 && t->detail[0] == '\0' && t->call != NULL &&
         t->call->reply.head.status == 0 &&
         curl_version_info(CURLVERSION_NOW)->version_num < 0x080000;
}

enum ofox_outcome ofox_transfer_outcome(struct ofox_transfer *t, CURLcode rc) {
  enum ofox_outcome o = OFOX_OUTCOME_PROTOCOL;
  size_t i;
  if (t->sends == 0 &&
      (t->starved || (may_be_starved(rc) && ofox_sockets_are_short()))) {
    t->detail[0] = '\0';
    return OFOX_OUTCOME_NO_DESCRIPTORS;
  }
  t->refused |= is_goaway(t, rc);
  if (t->refused) {
    memcpy(t->detail, REFUSED, sizeof(REFUSED));
    return OFOX_OUTCOME_RESET;
  }
  if (t->resent) {
    t->detail[0] = '\0'; /* it says what we did, not what happened */
    return OFOX_OUTCOME_EMPTY_REPLY;
  }
  if (rc == CURLE_OUT_OF_MEMORY)
    return without_memory(t);
  for (i = 0; i < sizeof(OUTCOMES) / sizeof(OUTCOMES[0]); i++) {
    if (OUTCOMES[i].code == rc) {
      o = OUTCOMES[i].outcome;
      break;
    }
  }
  return refine(t, rc, o);
}
