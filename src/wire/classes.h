/*
** The tables of error classes and of the outcomes of a transfer: the only
** place that defines them.
** Knows nothing of how a failure is recognised; see error.h.
*/
#ifndef OFOX_CLASSES_H
#define OFOX_CLASSES_H

/* id, name in ofox.errors, err.type, retryable unless something says not */
#define OFOX_CLASSES(X)                                                       \
  X(INVALID_REQUEST, "InvalidRequestError", "invalid_request_error", 0)       \
  X(AUTHENTICATION, "AuthenticationError", "authentication_error", 0)         \
  X(BILLING, "BillingError", "billing_error", 0)                              \
  X(PERMISSION, "PermissionError", "permission_error", 0)                     \
  X(NOT_FOUND, "NotFoundError", "not_found_error", 0)                         \
  X(CONFLICT, "ConflictError", "conflict_error", 1)                           \
  X(RATE_LIMIT, "RateLimitError", "rate_limit_error", 1)                      \
  X(INTERNAL, "InternalError", "internal_error", 1)                           \
  X(UPSTREAM, "UpstreamError", "upstream_error", 1)                           \
  X(UNAVAILABLE, "ServiceUnavailableError", "service_unavailable", 1)         \
  X(TIMEOUT, "TimeoutError", "timeout_error", 1)                              \
  X(CONNECTION, "ConnectionError", "connection_error", 1)                     \
  X(STREAM, "StreamError", "stream_error", 1)                                 \
  X(TLS, "TLSError", "tls_error", 0)                                          \
  X(RESPONSE, "ResponseError", "response_error", 0)                           \
  X(CANCELLED, "CancelledError", "cancelled_error", 0)

enum ofox_class {
#define X(id, name, type, retryable) OFOX_CLASS_##id,
  OFOX_CLASSES(X)
#undef X
      OFOX_NCLASSES
};

struct ofox_class_row {
  const char *name, *type;
  int retryable;
};

extern const struct ofox_class_row ofox_classes[OFOX_NCLASSES];

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
  X(MISSING_KEY, AUTHENTICATION, "missing_api_key", "no API key is set")      \
  X(HELD, RATE_LIMIT, "held",                                                 \
    "the server has told this account to wait")                               \
  X(PACED, RATE_LIMIT, "paced",                                               \
    "the account's pace allows no request in time")                           \
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
