/*
** Whether a service is worth a request at all. Closed: all calls go. Too many
** failures in a while open it: none goes. After some time it is half open: a
** few probes go; the success of all closes it, a failure opens it again.
** Knows nothing of calls or of what a failure is: answers that tell nothing of
** the service's health (429, 4xx), and calls that were cancelled, have no word
** here.
*/
#ifndef OFOX_BREAKER_H
#define OFOX_BREAKER_H

#define OFOX_BREAKER_SLICES 10

struct ofox_breaker_limits {
  double ratio;  /* of failures among those that ended, at which it opens */
  int min_calls; /* that must have ended for that */
  double window; /* seconds in which they ended */
  double open;   /* seconds until probes go */
  int probes;    /* that go, and have to succeed */
};

/* 0.5, 20, 30, 15, 1. */
extern const struct ofox_breaker_limits ofox_breaker_standard;

enum ofox_breaker_state {
  OFOX_BREAKER_CLOSED,
  OFOX_BREAKER_OPEN,
  OFOX_BREAKER_HALF_OPEN
};

/*
** Ends are counted in ten slices of the window, of which the first falls out
** as a whole: an end counts for nine tenths of the window at least, and never
** for longer than the window. So it errs to the lenient side.
*/
struct ofox_breaker {
  struct ofox_breaker_limits limits;
  int is_open;    /* or half open */
  double until;   /* if so: when probes go */
  unsigned _term; /* each change begins another; words of earlier ones and
                     of calls that began in them are not heard */
  int _trying;    /* probes on their way: */
  double _tried;  /* the last one's start */
  int _succeeded; /* probes that did */
  double _since;  /* when the present slice began */
  int _slice;
  unsigned long _ended[OFOX_BREAKER_SLICES], _failed[OFOX_BREAKER_SLICES];
  unsigned long _ended_sum, _failed_sum;
};

/* What an attempt keeps between its start and its end. Zeroed: not begun. */
struct ofox_breaker_pass {
  unsigned _term;
  int _probe;
};

/* Less than one call or probe counts as one; a ratio that is not above 0 means
** that one failure among enough ends is too many. */
void ofox_breaker_init(struct ofox_breaker *b,
                       const struct ofox_breaker_limits *limits);

/* Other limits from now on; what has ended stays. */
void ofox_breaker_change(struct ofox_breaker *b,
                         const struct ofox_breaker_limits *limits);

enum ofox_breaker_state ofox_breaker_state(const struct ofox_breaker *b,
                                           double now);

/*
** When a call may start: now, if that is <= now; else it is refused until
** then. While all probes are on their way that is 'open' seconds after the
** last one's start: then another goes, for that one may hang.
*/
double ofox_breaker_next(const struct ofox_breaker *b, double now);

void ofox_breaker_started(struct ofox_breaker *b,
                          struct ofox_breaker_pass *pass, double now);

/* One of these for each start; a second word for the same pass is ignored. */
void ofox_breaker_ended(struct ofox_breaker *b, struct ofox_breaker_pass *pass,
                        int failed, double now);
/* Ended without a word on the service's health: a probe frees its place. */
void ofox_breaker_left(struct ofox_breaker *b, struct ofox_breaker_pass *pass);

#endif
