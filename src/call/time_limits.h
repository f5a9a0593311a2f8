/*
** The limits of a call and of its attempt in flight: which comes first.
** Knows nothing of what is sent or answered; time is an argument, in seconds
** of a monotonic clock.
*/
#ifndef OFOX_TIME_LIMITS_H
#define OFOX_TIME_LIMITS_H

#include "wire/outcomes.h"

/* INFINITY: none. */
struct ofox_time_limits {
  double deadline;        /* of the call */
  double connect_timeout; /* of an attempt, until it is connected */
  double timeout;         /* of an attempt; of a stream, until its headers */
  double idle_timeout;    /* of a stream, without a byte */
  double stream_timeout;  /* of an attempt that streams */
};

struct ofox_clock {
  double call_began;
  double began;     /* the attempt */
  double answer_at; /* the first byte of the answer, once 'answered' */
  double head_at;   /* its latest header */
  double byte_at;   /* its latest byte */
  int queued;       /* waits for a free connection: only the deadline counts */
  int connected;
  int answered;
  int failing;   /* an error status has arrived: its body gets little time */
  int streaming; /* the headers of a stream have arrived */
  int paused;    /* its reader is slow: we cause the silence */
};

/* The time of the first limit, and the outcome if it expires. */
double ofox_time_limits_next(const struct ofox_clock *c,
                             const struct ofox_time_limits *l,
                             enum ofox_outcome *which);

#endif
