/*
** What one answer says of all calls: "come back at T". No call starts before
** T; from T on those that wait start one after another, one in the first
** second and twice as many, evenly spread, in each further second, until
** another call is told to wait, which begins a new hold with one, or until no
** call waits.
** Knows nothing of answers or of the queue; moments are seconds of one clock.
**
** The latest of all moments counts. No request is sent before T, so an answer
** that names an earlier one belongs to a request sent before the hold began:
** it cannot know better, and may be about another quota of the account. The
** exception is a probe, which is sent while the hold refuses: its answer is
** the newest word, and takes the place of what was said before
** (ofox_hold_answered).
*/
#ifndef OFOX_HOLD_H
#define OFOX_HOLD_H

#include <stddef.h>

/* Zeroed: holds nothing. */
struct ofox_holdback {
  int held;       /* there is a hold, or what is left of one */
  double until;   /* if so: no call starts before, but for probes */
  double _looked; /* when the server last answered or was last probed */
  double _second; /* when the second began or begins, with its first start */
  int _doubled;   /* 2^this may start in it */
  double _starts; /* in it, so far */
  double _last;   /* the last of them */
  unsigned _said; /* how often it was told a moment */
};

void ofox_hold_init(struct ofox_holdback *h);

/*
** A call was told to wait until 'moment'. One that has passed, or is now,
** slows down those that wait: they go on with one, a second after the last
** start. NaN is ignored.
*/
void ofox_hold_until(struct ofox_holdback *h, double moment, double now);

/*
** No call waits. To be called whenever that is so before a call that has just
** come asks, and when the last one that waited has started or left: else the
** hold goes on. Before T it stays, too.
*/
void ofox_hold_idle(struct ofox_holdback *h, double now);

/* Is the moment further away than 'max' seconds? Then no call is to wait for
** it, but each is refused unless ofox_hold_next says that it may start. */
int ofox_hold_refuses(const struct ofox_holdback *h, double now, double max);

/*
** The earliest moment for the next start; it may start if that is <= now.
** While the hold refuses, a call may start as a probe if the server has not
** been heard or probed for 'max' seconds.
*/
double ofox_hold_next(const struct ofox_holdback *h, double now, double max);

/*
** When the n-th of those that wait, from 0, will start by what is known now,
** without probes; INFINITY if the server said so. Takes as many steps as n
** has binary digits.
*/
double ofox_hold_at(const struct ofox_holdback *h, double now, size_t n);

/* A call starts now. Before T it is a probe, which has a number; else 0. */
unsigned ofox_hold_started(struct ofox_holdback *h, double now);

/*
** The probe of that number has got an answer that tells whether there is
** room: a success, or one that names a moment, which is then told to
** ofox_hold_until. T is now, unless a moment was told since the probe was
** sent. 0 is ignored.
*/
void ofox_hold_answered(struct ofox_holdback *h, unsigned probe, double now);

#endif
