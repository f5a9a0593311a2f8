/*
** The limits that a pace keeps.
** Knows nothing of how it does so.
*/
#ifndef OFOX_PACE_LIMITS_H
#define OFOX_PACE_LIMITS_H

/* Where a number is not above 0, NaN, or INFINITY, there is no such limit. */
struct ofox_pace_limits {
  double rpm, tpm;   /* at least 1 request in any case, rpm < 1: in 60 / rpm */
  double burst;      /* of rpm; not given: a tenth; tpm has the same share */
  double concurrent; /* on their way */
  int announced;     /* instead of rpm and tpm: what answers say */
  int alone;         /* if so: others wait for the first one's answer */
  double patience;   /* if so: one goes in so many seconds, in any case */
  double slack;      /* by which the minute is longer: some ways are longer */
};

#endif
