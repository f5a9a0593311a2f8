#include "policy/stats.h"

#include <stdlib.h>
#include <string.h>

#define PLACES 256 /* more than twice the models: a free one is near */

void ofox_stats_init(struct ofox_stats *s) {
  memset(s, 0, sizeof(*s));
  s->other.name = ofox_span_of(OFOX_STATS_OTHER);
}

void ofox_stats_free(struct ofox_stats *s) {
  s->_last = NULL;
  while (s->nmodels > 0)
    free(s->models[--s->nmodels]);
  memset(s->_places, 0, sizeof(s->_places));
}

uint64_t ofox_stats_in_flight(const struct ofox_stats *s) {
  uint64_t away = s->succeeded + s->failed + s->waiting;
  return s->calls > away ? s->calls - away : 0;
}

/* Eight bytes at a time. Names are the program's, and few: none can be made to
** collide often enough to matter. */
static uint32_t hash_of(struct ofox_span name) {
  const uint64_t spread = UINT64_C(0x9e3779b97f4a7c15);
  uint64_t h = name.n, word;
  size_t i = 0;
  for (; i + sizeof(word) <= name.n; i += sizeof(word)) {
    memcpy(&word, name.p + i, sizeof(word));
    h = (h ^ word) * spread;
    h ^= h >> 32;
  }
  for (; i < name.n; i++)
    h = (h ^ (unsigned char)name.p[i]) * spread;
  return (uint32_t)(h >> 32);
}

static int is_named(const struct ofox_stats_model *m, struct ofox_span name,
                    uint32_t hash) {
  return m->_hash == hash && m->name.n == name.n &&
         memcmp(m->name.p, name.p, name.n) == 0;
}

/* The row and its name in one piece; NULL without memory. */
static struct ofox_stats_model *new_model(struct ofox_span name,
                                          uint32_t hash) {
  struct ofox_stats_model *m = calloc(1, sizeof(*m) + name.n + 1);
  char *copy;
  if (m == NULL)
    return NULL;
  copy = (char *)(m + 1);
  memcpy(copy, name.p, name.n);
  m->name.p = copy;
  m->name.n = name.n;
  m->_hash = hash;
  return m;
}

struct ofox_stats_model *ofox_stats_model(struct ofox_stats *s,
                                          struct ofox_span name) {
  struct ofox_stats_model *m = s->_last;
  uint32_t hash, at;
  if (m != NULL && m->name.n == name.n &&
      memcmp(m->name.p, name.p, name.n) == 0)
    return m; /* most programs ask one model again and again */
  if (name.n == 0 || name.n > OFOX_STATS_NAME_MAX)
    return &s->other;
  hash = hash_of(name);
  for (at = hash % PLACES; s->_places[at] != 0; at = (at + 1) % PLACES) {
    m = s->models[s->_places[at] - 1];
    if (is_named(m, name, hash))
      return s->_last = m;
  }
  if (s->nmodels == OFOX_STATS_MODELS || ofox_span_eq(name, OFOX_STATS_OTHER))
    return &s->other;
  m = new_model(name, hash);
  if (m == NULL)
    return &s->other;
  s->models[s->nmodels++] = m;
  s->_places[at] = (unsigned char)s->nmodels;
  return s->_last = m;
}

void ofox_stats_asked(struct ofox_stats_model *m) {
  if (m != NULL)
    m->calls++;
}

void ofox_stats_left(struct ofox_stats_model *m) {
  if (m != NULL)
    m->failed++;
}

/* A signed conversion is one instruction. */
static uint64_t plausible(double tokens) {
  if (tokens >= 0 && tokens <= OFOX_STATS_TOKENS_MAX)
    return (uint64_t)(int64_t)tokens;
  return 0;
}

static void add_tokens(struct ofox_stats_tokens *t,
                       const struct ofox_stats_tokens *more) {
  t->input += more->input;
  t->output += more->output;
  t->cached += more->cached;
  t->reasoning += more->reasoning;
}

void ofox_stats_used(struct ofox_stats *s, struct ofox_stats_model *m,
                     const struct ofox_stats_usage *u) {
  struct ofox_stats_tokens t;
  t.input = plausible(u->input);
  t.output = plausible(u->output);
  t.cached = plausible(u->cached);
  t.reasoning = plausible(u->reasoning);
  add_tokens(&s->tokens, &t);
  if (m != NULL)
    add_tokens(&m->tokens, &t);
}

void ofox_stats_began(struct ofox_stats *s) {
  s->calls++;
}

void ofox_stats_attempt(struct ofox_stats *s, int is_retry) {
  s->attempts++;
  s->retries += is_retry != 0;
}

static void count_class(uint64_t counts[OFOX_STATS_CLASSES], int cls) {
  if (cls >= 0 && cls < OFOX_STATS_CLASSES)
    counts[cls]++;
}

void ofox_stats_attempt_failed(struct ofox_stats *s, int cls) {
  count_class(s->attempt_errors, cls);
}

void ofox_stats_waits(struct ofox_stats *s) {
  s->waiting++;
}

void ofox_stats_waited(struct ofox_stats *s, double seconds) {
  if (s->waiting > 0)
    s->waiting--;
  ofox_histogram_add(&s->waits, seconds);
}

void ofox_stats_bytes(struct ofox_stats *s, uint64_t sent, uint64_t received) {
  s->sent += sent;
  s->received += received;
}

void ofox_stats_ended(struct ofox_stats *s, const struct ofox_stats_end *e,
                      double now) {
  int failed = e->cls >= 0;
  if (failed)
    s->failed++;
  else
    s->succeeded++;
  count_class(s->errors, e->cls);
  if (!e->unrated)
    ofox_rates_add(&s->rates, failed, now);
  if (e->latency >= 0)
    ofox_histogram_add(&s->latency, e->latency);
  if (e->first_byte >= 0)
    ofox_histogram_add(&s->first_byte, e->first_byte);
}

void ofox_stats_spoiled(struct ofox_stats *s, int cls) {
  if (s->succeeded == 0)
    return;
  s->succeeded--;
  s->failed++;
  count_class(s->errors, cls);
}
