/*
** ofox.core: the counters of a client.
*/
#include "lua/lstats.h"

#include "io/clocks.h"
#include "lua/lofox.h"
#include "lua/lopen.h"
#include "wire/classes.h"

#define STATS_T "ofox.stats"

static int stats_gc(lua_State *L) {
  struct ofox_lstats *s = luaL_checkudata(L, 1, STATS_T);
  s->gone = 1; /* a call that is collected later has a pointer to it */
  ofox_stats_free(&s->stats);
  return 0;
}

/* core.stats() -> counters: field "stats" of the templates that use them */
static int stats_new(lua_State *L) {
  struct ofox_lstats *s = ofox_newobject(L, STATS_T, sizeof(*s));
  ofox_stats_init(&s->stats);
  return 1;
}

struct ofox_lstats *ofox_checkstats(lua_State *L, int i) {
  return lua_isnil(L, i) ? NULL : luaL_checkudata(L, i, STATS_T);
}

/* What the counters say */

static void set_count(lua_State *L, const char *name, uint64_t n) {
#if OFOX_INTEGERS
  lua_pushinteger(L, (lua_Integer)n);
#else
  lua_pushnumber(L, (lua_Number)n);
#endif
  lua_setfield(L, -2, name);
}

/* Adds a table of those that are not 0 to the table on top. [-0, +0, e] */
static void set_classes(lua_State *L, const char *name,
                        const uint64_t counts[OFOX_STATS_CLASSES]) {
  int i;
  lua_newtable(L);
  for (i = 0; i < OFOX_NCLASSES; i++) {
    if (counts[i] > 0)
      set_count(L, ofox_classes[i].type, counts[i]);
  }
  lua_setfield(L, -2, name);
}

static void set_tokens(lua_State *L, const struct ofox_stats_tokens *t) {
  lua_createtable(L, 0, 4);
  set_count(L, "input", t->input);
  set_count(L, "output", t->output);
  set_count(L, "cached", t->cached);
  set_count(L, "reasoning", t->reasoning);
  lua_setfield(L, -2, "tokens");
}

static void set_buckets(lua_State *L, const struct ofox_histogram *h) {
  uint64_t counts[OFOX_HISTOGRAM_BOUNDS];
  int i;
  ofox_histogram_cumulate(h, counts);
  lua_createtable(L, OFOX_HISTOGRAM_BOUNDS, 0);
  for (i = 0; i < OFOX_HISTOGRAM_BOUNDS; i++) {
    lua_createtable(L, 0, 2);
    ofox_setnumber(L, "le", ofox_histogram_bounds[i]);
    set_count(L, "count", counts[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "buckets");
}

static void set_histogram(lua_State *L, const char *name,
                          const struct ofox_histogram *now) {
  struct ofox_histogram h = *now; /* finalizers of the program may count on */
  lua_createtable(L, 0, 7);
  set_count(L, "count", h.count);
  ofox_setnumber(L, "sum", h.sum);
  ofox_setnumber(L, "p50", ofox_histogram_quantile(&h, 0.5));
  ofox_setnumber(L, "p90", ofox_histogram_quantile(&h, 0.9));
  ofox_setnumber(L, "p99", ofox_histogram_quantile(&h, 0.99));
  ofox_setnumber(L, "max", h.max);
  set_buckets(L, &h);
  lua_setfield(L, -2, name);
}

/* Adds a model to the table on top. [-0, +0, e] */
static void set_model(lua_State *L, const struct ofox_stats_model *m) {
  ofox_pushspan(L, m->name);
  lua_createtable(L, 0, 3);
  set_count(L, "calls", m->calls);
  set_count(L, "failed", m->failed);
  set_tokens(L, &m->tokens);
  lua_rawset(L, -3);
}

static void set_models(lua_State *L, const struct ofox_stats *s) {
  size_t i;
  lua_newtable(L);
  for (i = 0; i < s->nmodels; i++) {
    if (s->models[i]->calls > 0)
      set_model(L, s->models[i]);
  }
  if (s->other.calls > 0)
    set_model(L, &s->other);
  lua_setfield(L, -2, "models");
}

static void set_rates(lua_State *L, const struct ofox_stats *s, double now) {
  int i;
  lua_createtable(L, 0, OFOX_RATES_NWINDOWS);
  for (i = 0; i < OFOX_RATES_NWINDOWS; i++)
    ofox_setnumber(
        L, ofox_rates_name((enum ofox_rates_window)i),
        ofox_rates_read(&s->rates, (enum ofox_rates_window)i, now).ratio);
  lua_setfield(L, -2, "error_rate");
}

/* core.read_stats(counters [, now]) -> table, a new one */
static int stats_read(lua_State *L) {
  const struct ofox_lstats *of = luaL_checkudata(L, 1, STATS_T);
  const struct ofox_stats *s = &of->stats;
  double now =
      lua_isnoneornil(L, 2) ? ofox_clocks_now() : luaL_checknumber(L, 2);
  lua_createtable(L, 0, 18);
  set_count(L, "calls", s->calls);
  set_count(L, "attempts", s->attempts);
  set_count(L, "succeeded", s->succeeded);
  set_count(L, "failed", s->failed);
  set_count(L, "retries", s->retries);
  set_count(L, "in_flight", ofox_stats_in_flight(s));
  set_count(L, "waiting", s->waiting);
  set_classes(L, "errors", s->errors);
  set_classes(L, "attempt_errors", s->attempt_errors);
  set_models(L, s);
  set_tokens(L, &s->tokens);
  lua_createtable(L, 0, 2);
  set_count(L, "sent", s->sent);
  set_count(L, "received", s->received);
  lua_setfield(L, -2, "bytes");
  set_histogram(L, "latency", &s->latency);
  set_histogram(L, "first_byte", &s->first_byte);
  set_histogram(L, "waits", &s->waits);
  set_rates(L, s, now);
  return 1;
}

void ofox_open_stats(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"read_stats", stats_read},
      {"stats", stats_new},
      {NULL, NULL},
  };
  ofox_newclass(L, STATS_T, stats_gc);
  ofox_setfuncs(L, functions);
}
