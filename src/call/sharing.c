#include "call/sharing.h"

#include <math.h>
#include <stdio.h>

#include "call/account.h"
#include "call/gate.h"

#define PAUSE 1.0 /* seconds between two asks of one that wants no moments */
#define LONGEST 86400.0 /* seconds that a store may name */
#define MOST 2e9        /* the largest number that is written */

static void move_news(struct ofox_account *a, enum ofox_news_state from,
                      enum ofox_news_state to) {
  struct ofox_lane *l;
  size_t i;
  for (i = 0; (l = ofox_account_nth(a, i)) != NULL; i++) {
    if (l->news.state == from)
      l->news.state = to;
  }
}

static int has_news(struct ofox_account *a) {
  struct ofox_lane *l;
  size_t i;
  for (i = 0; (l = ofox_account_nth(a, i)) != NULL; i++) {
    if (l->news.state == OFOX_NEWS_KEPT)
      return 1;
  }
  return 0;
}

/* A whole number, and what follows it. */
static int put(struct ofox_buf *out, double v, char after) {
  int rc = ofox_buf_addint(out, (long)fmax(-MOST, fmin(ceil(v), MOST)));
  return rc != 0 ? rc : ofox_buf_addc(out, after);
}

static int put_numbers(const struct ofox_call *c, size_t wanted, double now,
                       struct ofox_buf *out) {
  const struct ofox_account *a = c->config->account;
  const struct ofox_pace_quota *q = a->pace.quotas;
  double rpm = 0, tpm = 0, v[9];
  int i, rc = 0, rated;
  if (a->paces) {
    rpm = ofox_pace_rate(&a->pace, OFOX_PACE_REQUESTS);
    tpm = ofox_pace_rate(&a->pace, OFOX_PACE_TOKENS);
  }
  rated = rpm > 0 || tpm > 0;
  v[0] = floor(rpm * 1000);
  v[1] = tpm;
  v[2] = q[OFOX_PACE_REQUESTS].burst;
  v[3] = q[OFOX_PACE_TOKENS].burst;
  v[4] = (double)wanted;
  v[5] = ceil((double)c->tokens);
  v[6] = rated ? ofox_lease_spent(a->lease, now) : 0;
  v[7] = rated ? ofox_lease_owed(a->lease, now) : 0;
  v[8] = OFOX_LEASE_PATIENCE * 1000;
  for (i = 0; i < 9 && rc == 0; i++)
    rc = put(out, v[i], i == 8 ? ';' : ' ');
  return rc;
}

static int put_news(struct ofox_account *a, double now, struct ofox_buf *out) {
  struct ofox_lane *l;
  char model[16];
  size_t i;
  int rc = 0;
  for (i = 0; (l = ofox_account_nth(a, i)) != NULL && rc == 0; i++) {
    if (l->news.state != OFOX_NEWS_KEPT)
      continue;
    (void)snprintf(model, sizeof(model), "%lu:", (unsigned long)l->model);
    rc = ofox_buf_adds(out, model);
    if (rc == 0)
      rc = put(out, fmax(0, l->news.until - now) * 1000, ':');
    if (rc == 0)
      rc = ofox_buf_adds(out, l->is_down ? "1:" : "0:");
    if (rc == 0)
      rc = ofox_buf_adds(out, l->news.is_probe ? "1," : "0,");
  }
  return rc;
}

/* Is the store to be asked for no moments, since there are news, or might be?
 */
static int is_due(struct ofox_account *a, int starts, double now) {
  return (has_news(a) || (starts && now >= a->lease->asked + PAUSE)) &&
         ofox_lease_may_ask(a->lease, now);
}

int ofox_sharing_ask(struct ofox_call *c, int starts, double now,
                     struct ofox_buf *out) {
  struct ofox_account *a = c->config->account;
  size_t wanted = 0;
  int rc;
  if (a == NULL || a->lease == NULL)
    return 0;
  if (starts)
    wanted = ofox_lease_wants(a->lease, now, ofox_gate_crowd(c, now));
  if (wanted == 0 && !is_due(a, starts, now))
    return 0;
  rc = put_numbers(c, wanted, now, out);
  if (rc == 0)
    rc = put_news(a, now, out);
  if (rc != 0)
    return rc;
  ofox_lease_asked(a->lease, ceil((double)c->tokens), now);
  a->lease->wanted = wanted;
  move_news(a, OFOX_NEWS_KEPT, OFOX_NEWS_SENT);
  return 1;
}

/* Reads a whole number at '*at'; negative: there is none. */
static double take(struct ofox_span text, size_t *at) {
  double v = 0;
  size_t begin = *at;
  for (; *at < text.n && ofox_isdigit(text.p[*at]); (*at)++)
    v = v * 10 + (text.p[*at] - '0');
  return *at > begin && *at < begin + 16 ? v : -1;
}

static int is_next(struct ofox_span text, size_t *at, char c) {
  if (*at == text.n || text.p[*at] != c)
    return 0;
  ++*at;
  return 1;
}

static int hear_hold(struct ofox_account *a, struct ofox_span text, size_t *at,
                     double now) {
  double model = take(text, at), left, down;
  struct ofox_lane *l;
  if (!(model >= 0 && model <= UINT32_MAX) || !is_next(text, at, ':'))
    return OFOX_ESYNTAX;
  left = take(text, at);
  if (left < 0 || !is_next(text, at, ':'))
    return OFOX_ESYNTAX;
  down = take(text, at);
  if (down < 0)
    return OFOX_ESYNTAX;
  l = model == 0 ? &a->all : ofox_account_hold(a, (uint32_t)model, now);
  if (l != NULL)
    ofox_gate_hear(a, l, now + left / 1000, down != 0, now);
  return 0;
}

static int hear_holds(struct ofox_account *a, struct ofox_span text,
                      size_t *at, double now) {
  if (!is_next(text, at, ';'))
    return OFOX_ESYNTAX;
  while (*at < text.n) {
    if (hear_hold(a, text, at, now) != 0 ||
        (*at < text.n && !is_next(text, at, ',')))
      return OFOX_ESYNTAX;
  }
  return 0;
}

int ofox_sharing_answer(struct ofox_account *a, struct ofox_span text,
                        double now) {
  double moments[OFOX_LEASE_SLOTS], next;
  size_t n = 0, at = 0;
  if (a->lease == NULL || !a->lease->asking)
    return 0;
  next = take(text, &at) / 1000;
  while (next >= 0 && n < OFOX_LEASE_SLOTS && is_next(text, &at, ' ')) {
    moments[n] = take(text, &at) / 1000;
    if (moments[n] < 0 || moments[n] > OFOX_LEASE_PATIENCE)
      next = -1;
    n++;
  }
  if (n == 0 && next <= OFOX_LEASE_PATIENCE && a->lease->wanted > 0)
    next = -1; /* it has moments, and gives none */
  if (next > LONGEST)
    next = -1;
  if (next < 0 || hear_holds(a, text, &at, now) != 0) {
    ofox_sharing_failed(a, now);
    return OFOX_ESYNTAX;
  }
  move_news(a, OFOX_NEWS_SENT, OFOX_NEWS_NONE);
  ofox_lease_given(a->lease, moments, n, next, now);
  ofox_gate_leased(a, now);
  return 0;
}

void ofox_sharing_failed(struct ofox_account *a, double now) {
  if (a->lease == NULL)
    return;
  ofox_lease_failed(a->lease, now);
  move_news(a, OFOX_NEWS_SENT, OFOX_NEWS_KEPT);
  ofox_gate_leased(a, now);
}
