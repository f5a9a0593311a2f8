/*
** When a connection may be attempted: half a second after the attempt before,
** and each time twice as long, up to five seconds, until one has succeeded.
** Pure: time is an argument, in seconds. Zeroed: an attempt may begin now.
*/
#ifndef OFOX_REDIS_PAUSES_H
#define OFOX_REDIS_PAUSES_H

struct ofox_redis_pauses {
  double until;  /* the next attempt may begin; 0: now */
  double _began; /* the latest attempt */
  double _pause; /* that follows it */
};

/* An attempt begins. */
void ofox_redis_pauses_begin(struct ofox_redis_pauses *p, double now);
/* The server answers. */
void ofox_redis_pauses_succeed(struct ofox_redis_pauses *p);

#endif
