#include "wire/body_delay.h"

#include <math.h>
#include <string.h>

#include "base/times.h"
#include "wire/headers.h"
#include "wire/words.h"

#define DELAY_MAX 1e9 /* seconds; more is a timestamp, not a delay */
#define TEXT_CAP 1024 /* bytes of a header in a body */

void ofox_body_delay_init(struct ofox_body_delay *p) {
  p->delay = p->until = NAN;
}

double ofox_body_delay_left(const struct ofox_body_delay *p, double now) {
  double left;
  if (isnan(p->until))
    return p->delay;
  left = p->until > now ? p->until - now : 0;
  return left <= DELAY_MAX ? left : NAN;
}

static int take_delay(struct ofox_body_delay *p, double seconds) {
  if (!(seconds >= 0 && seconds <= DELAY_MAX))
    return 0;
  p->delay = seconds;
  return 1;
}

static struct ofox_span skip(struct ofox_span s, size_t n) {
  s.p += n;
  s.n -= n;
  return s;
}

/* Words */

/* Consumes letters of 's': the unit in seconds, 0 if there is none. */
static double take_unit(struct ofox_span *s) {
  static const char *const words[] = {
      "d day days", "h hr hrs hour hours", "m min mins minute minutes",
      "s sec secs second seconds", "ms msec millisecond milliseconds"};
  static const double seconds[] = {86400, 3600, 60, 1, 0.001};
  struct ofox_span word = *s;
  size_t i = 0;
  while (i < s->n &&
         (unsigned)(ofox_tolower((unsigned char)s->p[i]) - 'a') < 26)
    i++;
  word.n = i;
  *s = skip(*s, i);
  for (i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
    if (ofox_words_has(words[i], word))
      return seconds[i];
  }
  return 0;
}

static struct ofox_span skip_fillers(struct ofox_span s) {
  while (s.n > 0 && memchr(" ,:~", s.p[0], 4) != NULL)
    s = skip(s, 1);
  return ofox_span_ihas_prefix(s, "and ") ? skip(s, 4) : s;
}

/*
** "1s", "6m0s", "20 seconds", "1 minute and 30 seconds"; 'bare' is the unit
** of a number that stands alone, 0 if it must not.
*/
static int read_prose(struct ofox_body_delay *p, struct ofox_span s,
                      double bare) {
  double v, unit, sum = 0, last = INFINITY;
  struct ofox_span number;
  for (;;) {
    number = s = skip_fillers(s);
    number.n = 0;
    while (number.n < s.n && (ofox_isdigit((unsigned char)s.p[number.n]) ||
                              s.p[number.n] == '.'))
      number.n++;
    if (!ofox_times_seconds(number, &v))
      break;
    s = skip_fillers(skip(s, number.n));
    unit = s.n == 0 && last == INFINITY ? bare : take_unit(&s);
    if (unit <= 0 || unit >= last)
      break;
    sum += v * unit;
    last = unit;
  }
  return last < INFINITY && take_delay(p, sum);
}

int ofox_body_delay_read(struct ofox_body_delay *p, struct ofox_span text) {
  static const char *const phrases[] = {"retry after", "again in",
                                        "again after", "retry in", "wait"};
  size_t i, at;
  for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
    at = ofox_span_ifind(text, phrases[i]);
    if (at != (size_t)-1 &&
        read_prose(p, skip(text, at + strlen(phrases[i])), 0))
      return 1;
  }
  return 0;
}

/* Members */

static int may_be_cut(struct ofox_json v, struct ofox_span body) {
  return v.raw.p + v.raw.n == body.p + body.n;
}

static int find_member(struct ofox_body_delay *p, const struct ofox_members *m,
                       struct ofox_span body) {
  static const struct {
    enum ofox_member a, b;
    double unit;
  } rows[] = {{OFOX_MEMBER_RETRY_AFTER_MS, OFOX_MEMBER_RETRY_AFTER_MS, 0.001},
              {OFOX_MEMBER_RETRY_AFTER, OFOX_MEMBER_RETRY_AFTER_SECONDS, 1},
              {OFOX_MEMBER_RETRY_DELAY, OFOX_MEMBER_RESETS_IN_SECONDS, 1}};
  struct ofox_json child;
  double n;
  size_t i;
  for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    child = ofox_members_either(m, rows[i].a, rows[i].b);
    if (child.type == OFOX_JSON_NONE || may_be_cut(child, body))
      continue;
    if (child.type == OFOX_JSON_STRING) {
      child.raw = skip(child.raw, 1);
      child.raw.n--;
      if (read_prose(p, child.raw, rows[i].unit))
        return 1;
    }
    else if (ofox_json_number(child, &n) && take_delay(p, n * rows[i].unit))
      return 1;
  }
  return 0;
}

/* A member of an object as the header that it was. 0, or OFOX_EMEM. */
static int add_header(struct ofox_headers *h, struct ofox_json key,
                      struct ofox_json v) {
  struct ofox_buf name, value;
  int rc;
  if (v.type == OFOX_JSON_ARRAY)
    v = ofox_json_at(v, 0);
  if (v.type != OFOX_JSON_STRING && v.type != OFOX_JSON_NUMBER)
    return 0;
  ofox_buf_init(&name, TEXT_CAP);
  ofox_buf_init(&value, TEXT_CAP);
  rc = ofox_json_text(key, &name);
  if (rc == 0)
    rc = v.type == OFOX_JSON_STRING ? ofox_json_text(v, &value)
                                    : ofox_buf_addspan(&value, v.raw);
  if (rc == 0)
    rc = ofox_headers_add(h, ofox_buf_span(&name), ofox_buf_span(&value));
  ofox_buf_free(&name);
  ofox_buf_free(&value);
  return rc == OFOX_EMEM ? rc : 0;
}

/*
** The headers of an upstream server, read like headers. A clock at 1970 turns
** a moment into the time left until then.
*/
static int find_in_headers(struct ofox_body_delay *p, struct ofox_json v,
                           struct ofox_span body) {
  struct ofox_headers h;
  struct ofox_json key, child;
  size_t pos = 0;
  double said;
  int rc = 0;
  ofox_headers_init(&h);
  while (rc == 0 && ofox_json_next(v, &pos, &key, &child)) {
    if (key.type == OFOX_JSON_STRING && !may_be_cut(child, body))
      rc = add_header(&h, key, child);
  }
  if (rc == 0 && ofox_headers_delay(&h, 0, &said) != OFOX_SOURCE_NONE) {
    rc = said >= 0;
    if (said < DELAY_MAX)
      p->delay = said;
    else
      p->until = said;
  }
  ofox_headers_free(&h);
  return rc;
}

int ofox_body_delay_find(struct ofox_body_delay *p,
                         const struct ofox_members *m, struct ofox_span body) {
  struct ofox_json details = m->at[OFOX_MEMBER_DETAILS], key, child;
  struct ofox_members more;
  size_t pos = 0;
  int rc = find_member(p, m, body);
  if (rc == 0 && m->at[OFOX_MEMBER_METADATA].type == OFOX_JSON_OBJECT) {
    ofox_members_read(&more, m->at[OFOX_MEMBER_METADATA]);
    rc = find_member(p, &more, body);
    if (rc == 0)
      rc = find_in_headers(p, more.at[OFOX_MEMBER_HEADERS], body);
  }
  while (rc == 0 && ofox_json_next(details, &pos, &key, &child)) {
    if (child.type != OFOX_JSON_OBJECT)
      continue;
    ofox_members_read(&more, child);
    rc = find_member(p, &more, body);
  }
  return rc;
}
