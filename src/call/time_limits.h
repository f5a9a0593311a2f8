/*
** The limits of a call and of its attempt in flight: which comes first.
** Knows nothing of what is sent or answered; time is an argument, in seconds
** of a clock that never jumps.
*/
#ifndef OFOX_TIME_LIMITS_H
#define OFOX_TIME_LIMITS_H

#include "wire/classes.h"

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
  int queued; /* waits for a connection to be free: only the call's counts */
  int connected;
  int answered;
  int failing;   /* an error status is in: its body is not worth much time */
  int streaming; /* the headers of a stream are in */
  int paused;    /* its reader is slow: silence is our doing */
};

/* The moment of the limit that comes first, and what its passing is called. */
double ofox_time_limits_next(const struct ofox_clock *c,
                             const struct ofox_time_limits *l,
                             enum ofox_outcome *which);

#endif
