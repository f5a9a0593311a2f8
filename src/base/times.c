#include "base/times.h"

#include <stdint.h>

#define WHOLE_DIGITS 15 /* are exact in a double */
#define ALL_DIGITS 18   /* fit 64 bits; more of a fraction changes nothing */
#define DAY 86400.0

/* Bare numbers of a reset: what they are is told by their size. */
#define SECONDS_MAX 1e8
#define UNIX_MIN 1e9
#define UNIX_MAX 1e11
#define UNIX_MS_MIN 1e12
#define UNIX_MS_MAX 1e14

struct moment {
  int year, month, day, hour, minute;
  double second;
};

/*
** The functions below take something off the front of 's' and return 1, or
** return 0, after which 's' is of no more use.
*/

static int decimal(struct ofox_span *s, double *out) {
  uint64_t v = 0;
  double scale = 1;
  size_t i, seen = 0;
  for (i = 0; i < s->n && ofox_isdigit((unsigned char)s->p[i]); i++) {
    if (++seen > WHOLE_DIGITS)
      return 0;
    v = v * 10 + (uint64_t)(s->p[i] - '0');
  }
  if (seen == 0)
    return 0;
  if (i + 1 < s->n && s->p[i] == '.' &&
      ofox_isdigit((unsigned char)s->p[i + 1])) {
    for (i++; i < s->n && ofox_isdigit((unsigned char)s->p[i]); i++) {
      if (++seen > ALL_DIGITS)
        continue;
      v = v * 10 + (uint64_t)(s->p[i] - '0');
      scale *= 10;
    }
  }
  *out = (double)v / scale;
  s->p += i;
  s->n -= i;
  return 1;
}

static int skip(struct ofox_span *s, size_t n) {
  s->p += n;
  s->n -= n;
  return 1;
}

static int take(struct ofox_span *s, char c) {
  return s->n > 0 && s->p[0] == c && skip(s, 1);
}

static int blanks(struct ofox_span *s) {
  if (!take(s, ' '))
    return 0;
  while (take(s, ' '))
    continue;
  return 1;
}

/* How many digits come next. */
static size_t run(struct ofox_span s) {
  size_t i = 0;
  while (i < s.n && ofox_isdigit((unsigned char)s.p[i]))
    i++;
  return i;
}

/* An integer of exactly 'n' digits, n <= 4. */
static int digits(struct ofox_span *s, size_t n, int *out) {
  size_t i;
  if (run(*s) != n)
    return 0;
  for (*out = 0, i = 0; i < n; i++)
    *out = *out * 10 + (s->p[i] - '0');
  return skip(s, n);
}

static int day(struct ofox_span *s, int *out) {
  return digits(s, run(*s) == 1 ? 1 : 2, out);
}

static int year(struct ofox_span *s, int *out) {
  if (run(*s) != 2)
    return digits(s, 4, out);
  if (!digits(s, 2, out))
    return 0;
  *out += *out < 70 ? 2000 : 1900;
  return 1;
}

/* "Jan" .. "Dec" as 1 .. 12. */
static int month(struct ofox_span *s, int *out) {
  static const char *const names[12] = {"Jan", "Feb", "Mar", "Apr",
                                        "May", "Jun", "Jul", "Aug",
                                        "Sep", "Oct", "Nov", "Dec"};
  for (*out = 1; *out <= 12; ++*out) {
    if (ofox_span_ihas_prefix(*s, names[*out - 1]))
      return skip(s, 3);
  }
  return 0;
}

/* "Sun" or "Sunday": must be one, but not the right one. */
static int weekday(struct ofox_span *s) {
  static const char *const names[7] = {"Sun", "Mon", "Tue", "Wed",
                                       "Thu", "Fri", "Sat"};
  static const char *const rests[7] = {"day",   "day", "sday", "nesday",
                                       "rsday", "day", "urday"};
  size_t i;
  for (i = 0; i < 7; i++) {
    if (ofox_span_ihas_prefix(*s, names[i])) {
      skip(s, 3);
      if (ofox_span_ihas_prefix(*s, rests[i]))
        skip(s, ofox_span_of(rests[i]).n);
      return 1;
    }
  }
  return 0;
}

/* "08:49:37", with a fraction if there is one. */
static int daytime(struct ofox_span *s, struct moment *m) {
  return digits(s, 2, &m->hour) && take(s, ':') && digits(s, 2, &m->minute) &&
         take(s, ':') && run(*s) == 2 && decimal(s, &m->second);
}

/* Seconds since 1970, or 0 where the calendar has no such moment. */
static int moment_seconds(const struct moment *m, double *out) {
  static const int lengths[12] = {31, 29, 31, 30, 31, 30,
                                  31, 31, 30, 31, 30, 31};
  int leap = (m->year % 4 == 0 && m->year % 100 != 0) || m->year % 400 == 0;
  long years, months, days;
  if (m->year < 1 || m->month < 1 || m->month > 12 || m->day < 1 ||
      m->day > lengths[m->month - 1] ||
      (m->month == 2 && m->day == 29 && !leap))
    return 0;
  if (m->hour > 23 || m->minute > 59 || m->second >= 61) /* a leap second */
    return 0;
  /* the year begins in March here, so that its last day is the leap day */
  years = m->month > 2 ? m->year : m->year - 1;
  months = (m->month + 9) % 12;
  days = years * 365 + years / 4 - years / 100 + years / 400 +
         (months * 153 + 2) / 5 + m->day - 1;
  days -= 719468; /* 1970-01-01 in that count */
  *out = (double)days * DAY + m->hour * 3600 + m->minute * 60 + m->second;
  return 1;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT". */
static int http_date(struct ofox_span s, double *out) {
  struct moment m = {0, 0, 0, 0, 0, 0};
  char c;
  if (!(weekday(&s) && take(&s, ',') && blanks(&s) && day(&s, &m.day)))
    return 0;
  c = s.n > 0 && s.p[0] == '-' ? '-' : ' ';
  return take(&s, c) && month(&s, &m.month) && take(&s, c) &&
         year(&s, &m.year) && blanks(&s) && daytime(&s, &m) && blanks(&s) &&
         (ofox_span_ieq(s, "GMT") || ofox_span_ieq(s, "UTC")) &&
         moment_seconds(&m, out);
}

/* "Sun Nov  6 08:49:37 1994", always GMT. */
static int asctime_date(struct ofox_span s, double *out) {
  struct moment m = {0, 0, 0, 0, 0, 0};
  return weekday(&s) && blanks(&s) && month(&s, &m.month) && blanks(&s) &&
         day(&s, &m.day) && blanks(&s) && daytime(&s, &m) && blanks(&s) &&
         digits(&s, 4, &m.year) && s.n == 0 && moment_seconds(&m, out);
}

/* "Z" or "+01:00" in seconds. */
static int offset(struct ofox_span *s, double *out) {
  int hours, minutes, sign;
  *out = 0;
  if (take(s, 'Z') || take(s, 'z'))
    return 1;
  sign = s->n > 0 && s->p[0] == '-' ? -1 : 1;
  if (!(take(s, sign < 0 ? '-' : '+') && digits(s, 2, &hours) &&
        take(s, ':') && digits(s, 2, &minutes) && hours < 24 && minutes < 60))
    return 0;
  *out = sign * (hours * 3600 + minutes * 60);
  return 1;
}

/* "1994-11-06T08:49:37.25Z". Without an offset it would be no moment. */
static int rfc3339_date(struct ofox_span s, double *out) {
  struct moment m = {0, 0, 0, 0, 0, 0};
  double east;
  if (!(digits(&s, 4, &m.year) && take(&s, '-') && digits(&s, 2, &m.month) &&
        take(&s, '-') && digits(&s, 2, &m.day) &&
        (take(&s, 'T') || take(&s, 't') || take(&s, ' ')) && daytime(&s, &m) &&
        offset(&s, &east) && s.n == 0 && moment_seconds(&m, out)))
    return 0;
  *out -= east;
  return 1;
}

int ofox_times_seconds(struct ofox_span s, double *out) {
  double v;
  s = ofox_span_trim(s);
  if (!decimal(&s, &v) || s.n > 0)
    return 0;
  *out = v;
  return 1;
}

int ofox_times_duration(struct ofox_span s, double *out) {
  /* a divisor, not a fraction, so that 17ms is what C reads in 0.017 */
  static const struct {
    const char *name;
    double times, per;
  } units[] = {{"d", DAY, 1},        {"h", 3600, 1},        {"m", 60, 1},
               {"s", 1, 1},          {"ms", 1, 1e3},        {"us", 1, 1e6},
               {"ns", 1, 1e9},       {"\xC2\xB5s", 1, 1e6}, /* U+00B5 */
               {"\xCE\xBCs", 1, 1e6}};                      /* U+03BC */
  const size_t count = sizeof(units) / sizeof(units[0]);
  double v, sum = 0, size, last = 0;
  struct ofox_span unit;
  size_t i;
  for (s = ofox_span_trim(s); s.n > 0; last = size) {
    if (!decimal(&s, &v))
      return 0;
    for (unit = s, unit.n = 0; unit.n < s.n; unit.n++) {
      if (ofox_isdigit((unsigned char)s.p[unit.n]))
        break;
    }
    for (i = 0; i < count && !ofox_span_eq(unit, units[i].name); i++)
      continue;
    if (i == count)
      return 0;
    size = units[i].times / units[i].per;
    if (last > 0 && size >= last)
      return 0;
    sum += v * units[i].times / units[i].per;
    skip(&s, unit.n);
  }
  if (last <= 0)
    return 0;
  *out = sum;
  return 1;
}

int ofox_times_date(struct ofox_span s, double *out) {
  double at;
  s = ofox_span_trim(s);
  if (!http_date(s, &at) && !asctime_date(s, &at) && !rfc3339_date(s, &at))
    return 0;
  *out = at;
  return 1;
}

static double left(double at, double now) {
  return at > now ? at - now : 0;
}

int ofox_times_retry_after(struct ofox_span s, double now, double *out) {
  double at;
  if (ofox_times_seconds(s, out))
    return 1;
  if (!ofox_times_date(s, &at))
    return 0;
  *out = left(at, now);
  return 1;
}

int ofox_times_reset(struct ofox_span s, double now, double *out) {
  double v;
  if (ofox_times_duration(s, out))
    return 1;
  if (ofox_times_date(s, &v)) {
    *out = left(v, now);
    return 1;
  }
  if (!ofox_times_seconds(s, &v))
    return 0;
  if (v <= SECONDS_MAX)
    *out = v;
  else if (v >= UNIX_MIN && v <= UNIX_MAX)
    *out = left(v, now);
  else if (v >= UNIX_MS_MIN && v <= UNIX_MS_MAX)
    *out = left(v / 1000, now);
  else
    return 0;
  return 1;
}
