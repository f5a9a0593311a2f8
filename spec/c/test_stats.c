/*
** The counters of a client, and the models that are counted by name. Prints
** "ok". From the root of the clone:
**
**   make build/ctest/test_stats.ok
*/
#undef NDEBUG
#include "policy/stats.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static struct ofox_stats_model *model(struct ofox_stats *s, const char *name) {
  return ofox_stats_model(s, ofox_span_of(name));
}

static void end(struct ofox_stats *s, int cls, int unrated, double latency) {
  struct ofox_stats_end e = {cls, unrated, latency, NAN};
  if (cls < 0)
    e.first_byte = latency / 2;
  ofox_stats_ended(s, &e, 100);
}

/* One answered after a retry, one that failed, one cancelled in a wait, one
** under way and one that waits. */
static void test_calls(struct ofox_stats *s) {
  int i;
  ofox_stats_init(s);
  for (i = 0; i < 5; i++)
    ofox_stats_began(s);
  assert(ofox_stats_in_flight(s) == 5);
  ofox_stats_attempt(s, 0);
  ofox_stats_attempt_failed(s, 6);
  ofox_stats_waits(s);
  assert(s->waiting == 1 && ofox_stats_in_flight(s) == 4);
  ofox_stats_waited(s, 2);
  ofox_stats_attempt(s, 1);
  end(s, -1, 0, 4);
  ofox_stats_attempt(s, 0);
  ofox_stats_attempt_failed(s, 0);
  end(s, 0, 0, 1);
  ofox_stats_waits(s);
  ofox_stats_waits(s);
  ofox_stats_waited(s, 0.5);
  end(s, 15, 1, NAN);
  ofox_stats_bytes(s, 100, 4000);
  ofox_stats_bytes(s, 10, 0);
  assert(s->calls == 5 && s->succeeded == 1 && s->failed == 2);
  assert(s->attempts == 3 && s->retries == 1);
  assert(s->waiting == 1 && ofox_stats_in_flight(s) == 1);
  assert(s->errors[0] == 1 && s->errors[15] == 1 && s->errors[6] == 0);
  assert(s->attempt_errors[6] == 1 && s->attempt_errors[0] == 1);
  assert(s->latency.count == 2 && s->latency.sum == 5);
  assert(s->first_byte.count == 1 && s->first_byte.max == 2);
  assert(s->waits.count == 2 && s->waits.sum == 2.5);
  assert(s->sent == 110 && s->received == 4000);
  assert(ofox_rates_read(&s->rates, OFOX_RATES_1M, 100).ended == 2);
  assert(ofox_rates_read(&s->rates, OFOX_RATES_1M, 100).failed == 1);
  ofox_stats_free(s);
}

/* A caller that is wrong makes no count absurd. */
static void test_wrong(struct ofox_stats *s) {
  ofox_stats_init(s);
  ofox_stats_waited(s, -1);
  end(s, OFOX_STATS_CLASSES, 0, -1);
  ofox_stats_attempt_failed(s, -1);
  ofox_stats_attempt_failed(s, 1 << 30);
  assert(s->waiting == 0 && ofox_stats_in_flight(s) == 0);
  assert(s->failed == 1 && s->latency.count == 0);
  ofox_stats_free(s);
}

static void test_tokens(struct ofox_stats *s) {
  static const struct ofox_stats_usage plain = {100, 20, 50, 5};
  static const struct ofox_stats_usage absurd = {NAN, -1, 1e300, INFINITY};
  static const struct ofox_stats_usage edge = {
      OFOX_STATS_TOKENS_MAX, OFOX_STATS_TOKENS_MAX + 1, 0.5, -0.5};
  struct ofox_stats_model *m;
  ofox_stats_init(s);
  m = model(s, "a");
  ofox_stats_used(s, m, &plain);
  ofox_stats_used(s, m, &absurd);
  ofox_stats_used(s, NULL, &plain);
  assert(s->tokens.input == 200 && s->tokens.output == 40);
  assert(s->tokens.cached == 100 && s->tokens.reasoning == 10);
  assert(m->tokens.input == 100 && m->tokens.output == 20);
  assert(m->tokens.cached == 50 && m->tokens.reasoning == 5);
  ofox_stats_used(s, m, &edge);
  assert(m->tokens.input == 1000000100 && m->tokens.output == 20);
  assert(m->tokens.cached == 50 && m->tokens.reasoning == 5);
  ofox_stats_free(s);
}

/* A name has one row, whatever else is counted, and the rest have one. */
static void test_models(struct ofox_stats *s) {
  struct ofox_stats_model *rows[OFOX_STATS_MODELS];
  char name[OFOX_STATS_NAME_MAX + 2];
  int i, round;
  ofox_stats_init(s);
  for (round = 0; round < 2; round++) {
    for (i = 0; i < OFOX_STATS_MODELS; i++) {
      snprintf(name, sizeof(name), "vendor/model-%d", i);
      if (round == 0)
        rows[i] = model(s, name);
      assert(model(s, name) == rows[i] && s->models[i] == rows[i]);
      assert(strcmp(rows[i]->name.p, name) == 0);
      assert(rows[i] != &s->other);
      ofox_stats_asked(rows[i]);
    }
  }
  assert(model(s, "one/more") == &s->other);
  assert(s->nmodels == OFOX_STATS_MODELS);
  ofox_stats_asked(&s->other);
  ofox_stats_left(&s->other);
  ofox_stats_asked(NULL);
  ofox_stats_left(NULL);
  assert(s->other.calls == 1 && s->other.failed == 1);
  assert(rows[99]->calls == 2 && rows[99]->failed == 0);
  ofox_stats_free(s);
  ofox_stats_free(s);
  assert(s->nmodels == 0);
}

/* An answer of no use is a failure. */
static void test_spoiled(struct ofox_stats *s) {
  ofox_stats_init(s);
  ofox_stats_spoiled(s, 3);
  assert(s->failed == 0 && s->errors[3] == 0);
  ofox_stats_began(s);
  end(s, -1, 0, 1);
  ofox_stats_spoiled(s, 3);
  assert(s->succeeded == 0 && s->failed == 1 && s->errors[3] == 1);
  assert(ofox_stats_in_flight(s) == 0);
}

static void test_names(struct ofox_stats *s) {
  char name[OFOX_STATS_NAME_MAX + 2];
  struct ofox_stats_model *m;
  ofox_stats_init(s);
  assert(model(s, "other") == &s->other && model(s, "") == &s->other);
  assert(ofox_span_eq(s->other.name, "other"));
  memset(name, 'x', sizeof(name));
  name[OFOX_STATS_NAME_MAX + 1] = 0;
  assert(model(s, name) == &s->other);
  name[OFOX_STATS_NAME_MAX] = 0;
  m = model(s, name);
  assert(m != &s->other && m->name.n == OFOX_STATS_NAME_MAX);
  assert(model(s, "x") != m);
  m = ofox_stats_model(s, (struct ofox_span){"a\0b", 3});
  assert(m != model(s, "a"));
  assert(m == ofox_stats_model(s, (struct ofox_span){"a\0b", 3}));
  ofox_stats_free(s);
}

int main(void) {
  static struct ofox_stats s;
  test_calls(&s);
  test_wrong(&s);
  test_tokens(&s);
  test_models(&s);
  test_names(&s);
  test_spoiled(&s);
  puts("ok");
  return 0;
}
