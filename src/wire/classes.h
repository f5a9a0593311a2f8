/*
** The table of error classes: the only place that defines them.
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

#endif
