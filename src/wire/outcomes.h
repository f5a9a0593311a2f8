/*
** The table of the outcomes of a transfer, and of calls that make none: the
** only place that defines them.
** Knows nothing of how an outcome is recognised.
*/
#ifndef OFOX_OUTCOMES_H
#define OFOX_OUTCOMES_H

#include "wire/classes.h"

/* How a transfer ended, where no error status speaks for itself: id, class,
** err.code, message. ANSWERED: an answer came and its status decides. */
#define OFOX_OUTCOMES(X)                                                      \
  X(ANSWERED, INTERNAL, "", "")                                               \
  X(DNS, CONNECTION, "dns", "the host name could not be resolved")            \
  X(REFUSED, CONNECTION, "refused", "the connection was refused")             \
  X(RESET, CONNECTION, "reset", "the connection was reset")                   \
  X(EMPTY_REPLY, CONNECTION, "empty_reply",                                   \
    "the server closed the connection without an answer")                     \
  X(TRUNCATED, CONNECTION, "truncated", "the answer is truncated")            \
  X(PROTOCOL, CONNECTION, "protocol", "the answer was not valid HTTP")        \
  X(SEND, CONNECTION, "send", "the request could not be sent")                \
  X(NO_DESCRIPTORS, CONNECTION, "no_descriptors",                             \
    "no file descriptor was available for a connection")                      \
  X(CONNECT_TIMEOUT, TIMEOUT, "connect_timeout",                              \
    "no connection within connect_timeout")                                   \
  X(TIMEOUT, TIMEOUT, "timeout", "no answer within timeout")                  \
  X(IDLE_TIMEOUT, TIMEOUT, "idle_timeout", "no byte within idle_timeout")     \
  X(DEADLINE, TIMEOUT, "deadline", "the deadline of the call has passed")     \
  X(STREAM_TRUNCATED, STREAM, "truncated", "the stream is truncated")         \
  X(STREAM_RESET, STREAM, "reset", "the stream was reset")                    \
  X(STREAM_JSON, STREAM, "invalid_json", "an event is not valid JSON")        \
  X(STREAM_TOO_LARGE, STREAM, "too_large",                                    \
    "an event is larger than max_event_bytes")                                \
  X(CERTIFICATE, TLS, "certificate",                                          \
    "the server's certificate was not accepted")                              \
  X(HANDSHAKE, TLS, "handshake", "the TLS handshake failed")                  \
  X(EMPTY, RESPONSE, "empty", "the answer has no body")                       \
  X(HTML, RESPONSE, "html", "the answer is an HTML page")                     \
  X(INVALID_JSON, RESPONSE, "invalid_json", "the answer is not valid JSON")   \
  X(ENCODING, RESPONSE, "encoding", "the answer could not be decoded")        \
  X(TOO_LARGE, RESPONSE, "too_large", "the answer is too large")              \
  X(REDIRECT, RESPONSE, "redirect", "the server redirects")                   \
  X(NOT_EVENT_STREAM, RESPONSE, "not_event_stream",                           \
    "the answer is not an event stream")                                      \
  X(PROXY_AUTH, AUTHENTICATION, "proxy_authentication_required",              \
    "the proxy requires authentication")                                      \
  X(PROXY_REFUSED, PERMISSION, "proxy_refused",                               \
    "the proxy does not allow this connection")                               \
  X(FILE_UNREADABLE, INVALID_REQUEST, "file_unreadable",                      \
    "a file of the request could not be read")                                \
  X(FILE_CHANGED, INVALID_REQUEST, "file_changed",                            \
    "a file of the request has changed since the call was made")              \
  X(MISSING_KEY, AUTHENTICATION, "missing_api_key", "no API key is set")      \
  X(HELD, RATE_LIMIT, "held", "the server has told other calls to wait")      \
  X(PACED, RATE_LIMIT, "paced",                                               \
    "the account's pace allows no request in time")                           \
  X(CIRCUIT_OPEN, UNAVAILABLE, "circuit_open",                                \
    "the service has failed too often, so nothing is sent for a while")       \
  X(CANCELLED, CANCELLED, "cancelled", "cancelled by the program")            \
  X(INTERRUPTED, CANCELLED, "interrupted", "interrupted by Ctrl-C")

enum ofox_outcome {
#define X(id, cls, code, message) OFOX_OUTCOME_##id,
  OFOX_OUTCOMES(X)
#undef X
      OFOX_NOUTCOMES
};

struct ofox_outcome_row {
  enum ofox_class cls;
  const char *code, *message;
};

extern const struct ofox_outcome_row ofox_outcomes[OFOX_NOUTCOMES];

#endif
