/*
** Whether to retry, and after how long: two pure functions.
** Knows nothing of HTTP, headers or JSON; time and randomness are arguments.
*/
#ifndef OFOX_RETRY_H
#define OFOX_RETRY_H

#include <stdint.h>

enum ofox_jitter {
  OFOX_JITTER_ADDITIVE, /* + U(0, min(1, base)) */
  OFOX_JITTER_FULL,     /* U(0, delay) */
  OFOX_JITTER_NONE,
  OFOX_JITTER_QUARTER /* - U(0, delay / 4); only in "openai" */
};

#define OFOX_MAX_RETRIES 3 /* by default */
#define OFOX_POLICY_STATUSES 32

struct ofox_policy {
  double base, factor, max_delay; /* seconds, ratio, seconds */
  double max_server_delay;        /* seconds */
  enum ofox_jitter jitter;
  int statuses[OFOX_POLICY_STATUSES]; /* retried in addition to the table; 0
                                         ends */
};

/* "ofox", "openai" or "aws", or NULL. */
const struct ofox_policy *ofox_policy_named(const char *name);

/* id, err.reason */
#define OFOX_REASONS(X)                                                       \
  X(NONE, "")                                                                 \
  X(NOT_RETRYABLE, "not_retryable")                                           \
  X(MAX_RETRIES, "max_retries")                                               \
  X(DEADLINE, "deadline")                                                     \
  X(DELAY_TOO_LONG, "delay_too_long")                                         \
  X(PARTIAL, "partial")                                                       \
  X(HOOK, "hook")                                                             \
  X(SERVER, "server")                                                         \
  X(CANCELLED, "cancelled")                                                   \
  X(BUDGET, "budget")                                                         \
  X(CIRCUIT_OPEN, "circuit_open")

enum ofox_reason {
#define X(id, name) OFOX_REASON_##id,
  OFOX_REASONS(X)
#undef X
};

const char *ofox_reason_name(enum ofox_reason r);

/* What is known about a failed attempt and the call it belongs to. */
struct ofox_retry_facts {
  int retryable;    /* by class and code */
  int should_retry; /* x-should-retry: 1, 0, -1 not said */
  int status;       /* 0 if none */
  int attempt;      /* of the one that failed, from 0 */
  int max_retries;  /* -1: no limit */
  double hint;      /* seconds the server asked for; NaN if it did not */
  int zero_before;  /* the attempt before was also told 0 */
  int free_move;    /* another model comes next: no wait */
  double left;      /* seconds until the deadline; INFINITY without one */
  double u;         /* random, 0 <= u < 1 */
};

struct ofox_plan {
  int retry;
  int from_server; /* the server's delay, else the backoff */
  double delay;    /* seconds to wait; where !retry, what should be waited */
  enum ofox_reason reason; /* why not; NONE where retry */
};

/*
** Backoff before attempt + 1; 'floor_out' (if given) is the same before
** jitter. The policy's base is > 0, its factor >= 1, max_delay finite.
*/
double ofox_retry_backoff(const struct ofox_policy *p, int attempt, double u,
                          double *floor_out);

/*
** When several reasons apply, the first of this order is returned: server or
** not_retryable, max_retries, delay_too_long, deadline. The deadline rejects a
** delay whose minimum would reach it; before that, jitter is reduced.
*/
void ofox_retry_plan(const struct ofox_policy *p,
                     const struct ofox_retry_facts *f, struct ofox_plan *out);

/*
** A step of splitmix64: advances the state by a constant, returns 0 <= u < 1.
** So draw number k of a seed can be computed without the previous ones.
*/
#define OFOX_RANDOM_STEP UINT64_C(0x9e3779b97f4a7c15)
double ofox_retry_random(uint64_t *state);

#endif
