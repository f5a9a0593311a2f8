#include "policy/retry.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const struct {
  const char *name;
  struct ofox_policy policy;
} policies[] = {
    /* base, factor, max_delay, max_server_delay */
    {"ofox", {1, 2, 60, 60, OFOX_JITTER_ADDITIVE, {0}}},
    {"openai", {0.5, 2, 8, 60, OFOX_JITTER_QUARTER, {0}}},
    {"aws", {1, 2, 20, 60, OFOX_JITTER_FULL, {0}}},
};

const struct ofox_policy *ofox_policy_named(const char *name) {
  size_t i;
  for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
    if (strcmp(policies[i].name, name) == 0)
      return &policies[i].policy;
  }
  return NULL;
}

const char *ofox_reason_name(enum ofox_reason r) {
  static const char *const names[] = {
#define X(id, name) name,
      OFOX_REASONS(X)
#undef X
  };
  return names[r];
}

static double lesser(double a, double b) {
  return a < b ? a : b;
}

/*
** base * factor ^ attempt, at most max_delay. Squaring needs 31 steps for
** any attempt; as base > 0 and factor >= 1, overflow ends in INFINITY, never
** in NaN, and the cap takes it away.
*/
static double grown(const struct ofox_policy *p, int attempt) {
  double delay = p->base, power = p->factor;
  for (; attempt > 0; attempt /= 2) {
    if (attempt % 2 == 1)
      delay *= power;
    power *= power;
  }
  return lesser(delay, p->max_delay);
}

/* Draws a delay between two limits; u = 0 is 'first'. */
struct range {
  double first, last;
};

static struct range own_range(const struct ofox_policy *p, double delay) {
  struct range r;
  r.first = r.last = delay;
  switch (p->jitter) {
  case OFOX_JITTER_ADDITIVE:
    r.last = lesser(delay + lesser(1, p->base), p->max_delay);
    break;
  case OFOX_JITTER_FULL:
    r.first = 0;
    break;
  case OFOX_JITTER_QUARTER:
    r.last = delay * 0.75;
    break;
  case OFOX_JITTER_NONE:
    break;
  }
  return r;
}

/* Upwards only, so that no call is earlier than requested. */
static struct range server_range(double hint) {
  struct range r;
  r.first = hint;
  r.last = hint + lesser(1, hint / 4);
  return r;
}

static double draw(struct range r, double u) {
  return r.first + u * (r.last - r.first);
}

double ofox_retry_backoff(const struct ofox_policy *p, int attempt, double u,
                          double *floor_out) {
  double delay = grown(p, attempt);
  if (floor_out != NULL)
    *floor_out = delay;
  return draw(own_range(p, delay), u);
}

/* Why waiting would not help. */
static enum ofox_reason refusal(const struct ofox_policy *p,
                                const struct ofox_retry_facts *f) {
  int i, listed = 0;
  for (i = 0; i < OFOX_POLICY_STATUSES && p->statuses[i] != 0; i++)
    listed |= p->statuses[i] == f->status;
  if (f->should_retry == 0)
    return OFOX_REASON_SERVER;
  if (f->should_retry != 1 && !f->retryable && !listed)
    return OFOX_REASON_NOT_RETRYABLE;
  if (f->max_retries >= 0 && f->attempt >= f->max_retries)
    return OFOX_REASON_MAX_RETRIES;
  return OFOX_REASON_NONE;
}

void ofox_retry_plan(const struct ofox_policy *p,
                     const struct ofox_retry_facts *f, struct ofox_plan *out) {
  struct range r;
  out->retry = 0;
  /* false for NaN; a server that says 0 twice would cause a busy loop */
  out->from_server = f->hint >= 0 && !(f->hint == 0 && f->zero_before);
  out->delay = out->from_server ? f->hint : grown(p, f->attempt);
  out->reason = refusal(p, f);
  if (out->reason != OFOX_REASON_NONE)
    return;
  if (f->free_move)
    r.first = r.last = 0;
  else if (out->from_server)
    r = server_range(f->hint);
  else
    r = own_range(p, out->delay);
  if (out->from_server && !f->free_move && f->hint > p->max_server_delay) {
    out->reason = OFOX_REASON_DELAY_TOO_LONG;
  }
  else if (lesser(r.first, r.last) >= f->left) {
    out->reason = OFOX_REASON_DEADLINE;
  }
  else {
    r.first = lesser(r.first, f->left);
    r.last = lesser(r.last, f->left);
    out->retry = 1;
    out->delay = draw(r, f->u);
    out->from_server &= !f->free_move;
  }
}

double ofox_retry_random(uint64_t *state) {
  uint64_t z = *state += OFOX_RANDOM_STEP;
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  z ^= z >> 31;
  return (double)(z >> 11) / 9007199254740992.0; /* 2^53 */
}
