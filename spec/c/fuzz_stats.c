/*
** Fuzz target: calls that begin, wait, try, fail and end in any order, with
** any names of models, beside plain counts and a list of the names.
*/
#include "../../src/policy/stats.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                                                               \
  do {                                                                        \
    if (!(x))                                                                 \
      abort();                                                                \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes of the input, 0 after its end. */
struct input {
  const uint8_t *p, *e;
};

static uint8_t next(struct input *in) {
  return in->p < in->e ? *in->p++ : 0;
}

struct plain {
  uint64_t calls, attempts, ended, failed, waiting, under_way, tokens;
  struct {
    struct ofox_span name; /* of the input */
    uint64_t calls, failed;
    struct ofox_stats_model *row;
  } names[OFOX_STATS_MODELS];
  size_t nnames;
  uint64_t other;
};

/* The number of a name in the list, which it joins if there is room. */
static size_t find(struct plain *t, struct ofox_span name) {
  size_t i;
  for (i = 0; i < t->nnames; i++) {
    if (t->names[i].name.n == name.n &&
        memcmp(t->names[i].name.p, name.p, name.n) == 0)
      return i;
  }
  if (name.n == 0 || name.n > OFOX_STATS_NAME_MAX ||
      ofox_span_eq(name, "other") || t->nnames == OFOX_STATS_MODELS)
    return OFOX_STATS_MODELS;
  t->names[t->nnames++].name = name;
  return i;
}

/* Names are pieces of the input, mostly short, so that they come again. */
static void ask(struct ofox_stats *s, struct plain *t, struct input *in) {
  struct ofox_stats_model *m;
  struct ofox_span name;
  uint8_t kind = next(in);
  size_t i, n = kind < 250 ? kind % 4U : kind % 4U * 100;
  name.p = (const char *)in->p;
  name.n = n < (size_t)(in->e - in->p) ? n : (size_t)(in->e - in->p);
  in->p += name.n;
  m = ofox_stats_model(s, name);
  i = find(t, name);
  ofox_stats_asked(m);
  if (kind % 3 == 0)
    ofox_stats_left(m);
  if (i == OFOX_STATS_MODELS) {
    MUST(m == &s->other);
    t->other++;
    return;
  }
  MUST(t->names[i].row == NULL || t->names[i].row == m);
  t->names[i].row = m;
  t->names[i].calls++;
  t->names[i].failed += kind % 3 == 0;
}

static void end(struct ofox_stats *s, struct plain *t, struct input *in) {
  struct ofox_stats_end e;
  e.cls = next(in) % 34 - 1;
  e.unrated = next(in) % 4 == 0;
  e.latency = next(in) / 3.0;
  e.first_byte = e.cls < 0 ? e.latency : NAN;
  ofox_stats_ended(s, &e, (double)t->ended);
  t->under_way--;
  t->ended++;
  t->failed += e.cls >= 0;
}

static void use(struct ofox_stats *s, struct plain *t, struct input *in) {
  struct ofox_stats_usage u = {0, 0, 0, 0};
  uint8_t bytes[8] = {0};
  size_t i;
  for (i = 0; i < 8; i++)
    bytes[i] = next(in);
  memcpy(&u.output, bytes, sizeof(bytes));
  u.input = bytes[0] * 1000;
  ofox_stats_used(s, t->nnames > 0 ? t->names[0].row : NULL, &u);
  t->tokens += (uint64_t)u.input;
}

static void act(struct ofox_stats *s, struct plain *t, struct input *in) {
  uint8_t what = next(in);
  if (what % 8 == 0) {
    ofox_stats_began(s);
    t->calls++;
    t->under_way++;
  }
  else if (what % 8 == 1 && t->under_way > 0) {
    ofox_stats_waits(s);
    t->under_way--;
    t->waiting++;
  }
  else if (what % 8 == 2 && t->waiting > 0) {
    ofox_stats_waited(s, what / 8.0);
    t->waiting--;
    t->under_way++;
  }
  else if (what % 8 == 3 && t->under_way > 0)
    end(s, t, in);
  else if (what % 8 == 4) {
    ofox_stats_attempt(s, what > 127);
    ofox_stats_attempt_failed(s, (int)what - 100);
    t->attempts++;
  }
  else if (what % 8 == 5)
    use(s, t, in);
  else
    ask(s, t, in);
}

static void check(const struct ofox_stats *s, const struct plain *t) {
  uint64_t errors = 0;
  size_t i;
  MUST(s->calls == t->calls && s->attempts == t->attempts);
  MUST(s->retries <= s->attempts && s->failed == t->failed);
  MUST(s->succeeded + s->failed == t->ended && s->waiting == t->waiting);
  MUST(ofox_stats_in_flight(s) == t->under_way);
  for (i = 0; i < OFOX_STATS_CLASSES; i++)
    errors += s->errors[i];
  MUST(errors <= s->failed && s->latency.count == t->ended);
  MUST(s->first_byte.count == s->succeeded);
  MUST(s->tokens.input == t->tokens);
  MUST(s->tokens.output <= 4000 * (uint64_t)OFOX_STATS_TOKENS_MAX);
  MUST(s->nmodels == t->nnames && s->other.calls == t->other);
  for (i = 0; i < t->nnames; i++) {
    MUST(s->models[i] == t->names[i].row);
    MUST(s->models[i]->calls == t->names[i].calls);
    MUST(s->models[i]->failed == t->names[i].failed);
    MUST(s->models[i]->name.n == t->names[i].name.n);
    MUST(memcmp(s->models[i]->name.p, t->names[i].name.p,
                t->names[i].name.n) == 0);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct ofox_stats s;
  static struct plain t;
  struct input in;
  if (size > 4000)
    return 0;
  memset(&t, 0, sizeof(t));
  in.p = data;
  in.e = data + size;
  ofox_stats_init(&s);
  while (in.p < in.e)
    act(&s, &t, &in);
  check(&s, &t);
  ofox_stats_free(&s);
  ofox_stats_free(&s);
  return 0;
}
