/*
** Times as servers write them: durations, HTTP dates (RFC 9110, 5.6.7),
** RFC 3339, Retry-After, rate-limit resets. Text in, seconds out; ambiguous
** text is rejected. Knows no header names and reads no clock.
*/
#ifndef OFOX_TIMES_H
#define OFOX_TIMES_H

#include "base/buf.h"

/*
** All: 1 and '*out' filled, or 0 and '*out' unchanged: not of that form.
** Surrounding blanks are ignored. The result is finite if 'now' is, and only a
** date can be negative.
*/

/* Plain decimal seconds, "7" or "1.5": no sign, exponent or hex, at most 15
** digits before the point. */
int ofox_times_seconds(struct ofox_span s, double *out);

/* "1h2m3s", "6m0s", "250ms", "1.5s": units d h m s ms us ns, each at most
** once, the longer before the shorter. */
int ofox_times_duration(struct ofox_span s, double *out);

/*
** An HTTP date in any of its three forms, or RFC 3339: seconds since 1970.
** Years of two digits are 1970 to 2069.
*/
int ofox_times_date(struct ofox_span s, double *out);

/*
** A Retry-After value: seconds, or a date from which 'now' is subtracted
** (seconds since 1970 of the answer's own Date if it has one, else of the wall
** clock). A date in the past gives 0.
*/
int ofox_times_retry_after(struct ofox_span s, double now, double *out);

/*
** A rate-limit reset: a duration, bare seconds, or a moment (a date, unix
** seconds, unix milliseconds), from which 'now' is subtracted. Ambiguous
** numbers are rejected.
*/
int ofox_times_reset(struct ofox_span s, double now, double *out);

#endif
