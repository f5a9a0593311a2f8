/*
** When the next request may start, by rates that the program has given or that
** answers announce. Every attempt counts, also one that fails.
** Knows nothing of headers, of the queue, or of how tokens are guessed.
**
** Given: no window of a minute sees more than 'rpm' starts; 'burst' may start
** together, others are spaced evenly; the same holds for tokens, which are
** guessed at the start and put right when it is known what was used.
** Announced: what remains is a credit, which refills evenly until the reset;
** and no minute sees more starts of ours than the limit, for a server may
** well refill at the reset only. Unless something was announced, no call waits
** but those beside the very first one ('alone').
*/
#ifndef OFOX_PACE_H
#define OFOX_PACE_H

#include "policy/pace_limits.h"
#include "policy/window.h"

#include <stddef.h>
#include <stdint.h>

enum ofox_pace_unit { OFOX_PACE_REQUESTS, OFOX_PACE_TOKENS, OFOX_PACE_UNITS };

struct ofox_pace_quota {
  int is_known;
  double rate;  /* a second */
  double burst; /* the most that may start together */
  double full;  /* when nothing of it would be used any more */
  double reset; /* announced: when the server may give all of it again */
  struct ofox_window window;
  double _all;      /* that was started, ever */
  double _period;   /* the longest that answers spoke of; 0: none yet */
  double _measured; /* since when */
};

/* Zeroed: paces nothing; fit to be freed. */
struct ofox_pace {
  struct ofox_pace_quota quotas[OFOX_PACE_UNITS];
  double concurrent; /* 0: no limit */
  double in_flight;
  int announced, _alone, _mute; /* refusals while alone that said nothing */
  double _patience, _slack;
  double _active;     /* the last start or news */
  uint64_t _started;  /* number of the last start */
  uint64_t _heard_of; /* number of the latest start with an answer */
};

/* What an attempt keeps until its use is known. Zeroed: not started. */
struct ofox_pace_start {
  double _at, _tokens;
  double _all[OFOX_PACE_UNITS]; /* that was started until then, it included */
  uint64_t _number;
  int _in_flight, _unheard, _mute;
  int _guessed; /* it is not known yet what it used */
};

/* What an answer says of a quota; NaN: not said. In seconds: reset. */
struct ofox_pace_words {
  double limit, remaining, reset;
};

/* 0, or OFOX_EMEM: then it paces nothing. */
int ofox_pace_init(struct ofox_pace *p, const struct ofox_pace_limits *limits);
void ofox_pace_free(struct ofox_pace *p);
/* These limits instead of those before, from now on: what was started counts.
** 0, or OFOX_EMEM: nothing changes. */
int ofox_pace_change(struct ofox_pace *p,
                     const struct ofox_pace_limits *limits);

/* The earliest moment for the next start, with so many tokens; it may start if
** that is <= now. INFINITY: only when another has ended or been answered. */
double ofox_pace_next(const struct ofox_pace *p, double now, double tokens);

/* When the n-th of those that wait, from 0, will start by what is known now,
** if those before it have so many tokens together; not later than it will be,
** unless one of those leaves. */
double ofox_pace_at(const struct ofox_pace *p, double now, size_t n,
                    double tokens_before, double tokens);

int ofox_pace_is_rated(const struct ofox_pace *p); /* is a limit known? */
/* What it allows a minute; 0: no limit is known. */
double ofox_pace_rate(const struct ofox_pace *p, enum ofox_pace_unit unit);

void ofox_pace_started(struct ofox_pace *p, struct ofox_pace_start *s,
                       double tokens, double now);
/* The start's answer has begun, whatever it says. NULL: it is a refusal for a
** rate that says nothing of it; if this one was 'alone', the next is, too. */
void ofox_pace_heard(struct ofox_pace *p, struct ofox_pace_start *s,
                     const struct ofox_pace_words said[OFOX_PACE_UNITS],
                     double now);
/* Its end. */
void ofox_pace_ended(struct ofox_pace *p, struct ofox_pace_start *s);
/* What it used, as is known before its end or later; < 0, NaN: nothing is. */
void ofox_pace_used(struct ofox_pace *p, struct ofox_pace_start *s,
                    double tokens, double now);

#endif
