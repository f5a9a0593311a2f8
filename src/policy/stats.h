/*
** What a client has done, in numbers: the counters of client:stats().
** Knows nothing of HTTP, of names of classes (it counts by number), or of how
** a call goes: its caller says each thing once, when it happens.
*/
#ifndef OFOX_STATS_H
#define OFOX_STATS_H

#include "base/buf.h"
#include "policy/histogram.h"
#include "policy/rates.h"

#include <stdint.h>

#define OFOX_STATS_CLASSES 32     /* room for error classes, from 0 */
#define OFOX_STATS_MODELS 100     /* that are counted under their names */
#define OFOX_STATS_NAME_MAX 256   /* bytes of such a name */
#define OFOX_STATS_OTHER "other"  /* the name for the rest */
#define OFOX_STATS_TOKENS_MAX 1e9 /* what is above is no count */

/* As an answer's usage says it; NaN, what is negative and what is above
** OFOX_STATS_TOKENS_MAX count as 0. 'cached' are a part of 'input',
** 'reasoning' of 'output'. */
struct ofox_stats_usage {
  double input, output, cached, reasoning;
};

struct ofox_stats_tokens {
  uint64_t input, output, cached, reasoning;
};

/* Calls that turned to a model, as their first or by fallback; those that got
** no answer from it; and what its answers used. */
struct ofox_stats_model {
  uint64_t calls, failed;
  struct ofox_stats_tokens tokens;
  struct ofox_span name; /* a NUL follows it */
  uint32_t _hash;
};

struct ofox_stats {
  uint64_t calls, attempts, succeeded, failed, retries;
  uint64_t waiting; /* calls kept back now, or between two attempts */
  uint64_t errors[OFOX_STATS_CLASSES];         /* of calls that failed */
  uint64_t attempt_errors[OFOX_STATS_CLASSES]; /* of attempts */
  struct ofox_stats_tokens tokens;
  uint64_t sent, received; /* bytes */
  struct ofox_histogram latency, first_byte, waits;
  struct ofox_rates rates; /* of calls that say something of the service */
  struct ofox_stats_model *models[OFOX_STATS_MODELS]; /* oldest first */
  size_t nmodels;
  struct ofox_stats_model other;
  struct ofox_stats_model *_last; /* the named one asked for last, or NULL */
  unsigned char _places[256];     /* by hash: 1 + number of a model; 0: free */
};

void ofox_stats_init(struct ofox_stats *s);
void ofox_stats_free(struct ofox_stats *s); /* zeroed or twice: fine */

/* Calls that have begun, have not ended, and do not wait. */
uint64_t ofox_stats_in_flight(const struct ofox_stats *s);

/* The row of a model, there until 's' is freed. 'other' for a name that is
** empty or too long, or that there is no room or memory for. */
struct ofox_stats_model *ofox_stats_model(struct ofox_stats *s,
                                          struct ofox_span name);
/* A call turns to a model; and leaves it without an answer. NULL: none. */
void ofox_stats_asked(struct ofox_stats_model *m);
void ofox_stats_left(struct ofox_stats_model *m);
/* Adds an answer's usage to the sum, and to the model's unless it is NULL. */
void ofox_stats_used(struct ofox_stats *s, struct ofox_stats_model *m,
                     const struct ofox_stats_usage *u);

void ofox_stats_began(struct ofox_stats *s);
void ofox_stats_attempt(struct ofox_stats *s, int is_retry);
void ofox_stats_attempt_failed(struct ofox_stats *s, int cls);
/* A call waits before an attempt; and does so no longer, after 'seconds'. Said
** also where cancel or a deadline ends the wait. */
void ofox_stats_waits(struct ofox_stats *s);
void ofox_stats_waited(struct ofox_stats *s, double seconds);
void ofox_stats_bytes(struct ofox_stats *s, uint64_t sent, uint64_t received);

/* How a call ended. */
struct ofox_stats_end {
  int cls;           /* of its error; -1: it succeeded */
  int unrated;       /* says nothing of the service: cancelled, misuse */
  double latency;    /* seconds since it began; NaN: not counted */
  double first_byte; /* NaN: none came */
};
void ofox_stats_ended(struct ofox_stats *s, const struct ofox_stats_end *e,
                      double now);
/* The answer of one that succeeded turns out to be of no use: it has failed.
** The rates keep what they were told. */
void ofox_stats_spoiled(struct ofox_stats *s, int cls);

#endif
