/*
** The timing of retries for Lua: policies are read here, u may be drawn here.
** Misuse raises a string without a position that names the field; the Lua
** side knows best whose line caused it.
*/
#define _POSIX_C_SOURCE 200809L /* getpid */
#include "lua/lretry.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "io/clocks.h"
#include "lua/lofox.h"
#include "lua/lopen.h"
#include "wire/headers.h"

#define EXACT 9007199254740992.0 /* 2^53: integers up to here are doubles */

/* Raises "<what>: expected <expected>, got <value on top>". [-?, +0, v] */
static int misuse(lua_State *L, const char *what, const char *expected) {
  const char *got = ofox_describe(L, -1);
  lua_pushfstring(L, "%s: expected %s, got %s", what, expected, got);
  return lua_error(L);
}

/*
** Every key of the table at 't' must be one of 'names', which NULL ends.
** [-0, +0, v]
*/
static void check_fields(lua_State *L, int t, const char *what,
                         const char *const *names) {
  lua_pushnil(L);
  while (lua_next(L, t) != 0) {
    int i = 0;
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) {
      lua_pushfstring(L, "%s: unknown field of type %s", what,
                      luaL_typename(L, -1));
      lua_error(L);
    }
    while (names[i] != NULL && strcmp(names[i], lua_tostring(L, -1)) != 0)
      i++;
    if (names[i] == NULL) {
      lua_pushfstring(L, "%s.%s: unknown field", what, lua_tostring(L, -1));
      lua_error(L);
    }
  }
}

static int is_number(lua_State *L, int i, double *out) {
  *out = lua_type(L, i) == LUA_TNUMBER ? (double)lua_tonumber(L, i) : NAN;
  return *out == *out;
}

static int is_whole(lua_State *L, int i, double least, double most,
                    double *out) {
  return is_number(L, i, out) && *out >= least && *out <= most &&
         floor(*out) == *out;
}

/* Pushes field 'name' of the table at 't', raw. [-0, +1, m] */
static void raw_field(lua_State *L, int t, const char *name) {
  lua_pushstring(L, name);
  lua_rawget(L, t);
}

/*
** Pushes the field of the table at 't' that 'what', "<table>.<field>", names.
** Returns whether it is present. [-0, +1, m]
*/
static int push_field(lua_State *L, int t, const char *what) {
  raw_field(L, t, strchr(what, '.') + 1);
  return !lua_isnil(L, -1);
}

/* Leaves 'out' alone where the field is absent. [-0, +0, v] */
static int read_number(lua_State *L, int t, const char *what,
                       const char *expected, double least, double most,
                       double *out) {
  double n;
  int there = push_field(L, t, what);
  if (there) {
    if (!is_number(L, -1, &n) || n < least || n > most)
      misuse(L, what, expected);
    *out = n;
  }
  lua_pop(L, 1);
  return there;
}

/*
** Pops a count. More than INT_MAX becomes INT_MAX: it makes no difference.
** [-1, +0, v]
*/
static int take_count(lua_State *L, const char *what) {
  double n;
  if (!is_whole(L, -1, 0, DBL_MAX, &n))
    misuse(L, what, "an integer >= 0");
  lua_pop(L, 1);
  return n < INT_MAX ? (int)n : INT_MAX;
}

static int read_count(lua_State *L, int t, const char *what, int otherwise) {
  if (push_field(L, t, what))
    return take_count(L, what);
  lua_pop(L, 1);
  return otherwise;
}

/* Policies */

static void read_delays(lua_State *L, int t, struct ofox_policy *p) {
  read_number(L, t, "retry.base", "a number > 0", DBL_MIN, DBL_MAX, &p->base);
  read_number(L, t, "retry.factor", "a number >= 1", 1, DBL_MAX, &p->factor);
  if (!read_number(L, t, "retry.max_delay", "a number >= retry.base", p->base,
                   DBL_MAX, &p->max_delay) &&
      p->base > p->max_delay) {
    push_field(L, t, "retry.base");
    misuse(L, "retry.base", "a number <= retry.max_delay, which is 60");
  }
  read_number(L, t, "retry.max_server_delay", "a number >= 0", 0, INFINITY,
              &p->max_server_delay);
}

static void read_jitter(lua_State *L, int t, struct ofox_policy *p) {
  static const struct {
    const char *name;
    enum ofox_jitter jitter;
  } rows[] = {{"additive", OFOX_JITTER_ADDITIVE},
              {"full", OFOX_JITTER_FULL},
              {"none", OFOX_JITTER_NONE}};
  size_t i;
  int known = !push_field(L, t, "retry.jitter");
  if (lua_type(L, -1) == LUA_TSTRING) {
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
      if (strcmp(rows[i].name, lua_tostring(L, -1)) == 0) {
        p->jitter = rows[i].jitter;
        known = 1;
      }
    }
  }
  if (!known)
    misuse(L, "retry.jitter", "\"additive\", \"full\" or \"none\"");
  lua_pop(L, 1);
}

/* Is the value on top a list of at most 'most', and nothing else? */
static int is_list(lua_State *L, size_t most) {
  size_t n, count = 0;
  if (!lua_istable(L, -1))
    return 0;
  n = ofox_rawlen(L, -1);
  if (n > most)
    return 0;
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    lua_pop(L, 1);
    count++;
  }
  return count == n;
}

static void read_statuses(lua_State *L, int t, struct ofox_policy *p) {
  int i, n;
  double status;
  if (push_field(L, t, "retry.statuses")) {
    if (!is_list(L, OFOX_POLICY_STATUSES))
      misuse(L, "retry.statuses", "a list of at most 32 HTTP statuses");
    n = (int)ofox_rawlen(L, -1);
    for (i = 0; i < n; i++) {
      lua_rawgeti(L, -1, i + 1);
      if (!is_whole(L, -1, 100, 999, &status)) {
        lua_pushfstring(L, "retry.statuses[%d]", i + 1);
        lua_insert(L, -2);
        misuse(L, lua_tostring(L, -2), "an integer from 100 to 999");
      }
      p->statuses[i] = (int)status;
      lua_pop(L, 1);
    }
  }
  lua_pop(L, 1);
}

/* The same seed gives the same draws on every Lua. */
static int is_seed(lua_State *L, int i, uint64_t *out) {
  double n;
  if (ofox_isinteger(L, i)) {
    *out = (uint64_t)lua_tointeger(L, i);
    return 1;
  }
  if (!is_whole(L, i, -EXACT, EXACT, &n))
    return 0;
  *out = (uint64_t)(int64_t)n;
  return 1;
}

static void check_seed(lua_State *L, int t) {
  uint64_t seed;
  if (push_field(L, t, "retry.seed") && !is_seed(L, -1, &seed))
    misuse(L, "retry.seed", "an integer");
  lua_pop(L, 1);
}

void ofox_checkpolicy(lua_State *L, int arg, struct ofox_policy *p) {
  static const char *const names[] = {
      "base",   "factor",   "max_delay", "max_server_delay",
      "jitter", "statuses", "seed",      NULL};
  const char *name = "ofox";
  const struct ofox_policy *named;
  ofox_checkmemory(L, !lua_checkstack(L, LUA_MINSTACK));
  if (lua_type(L, arg) == LUA_TSTRING)
    name = lua_tostring(L, arg);
  named = ofox_policy_named(name);
  if (named == NULL || !(lua_isnoneornil(L, arg) || lua_istable(L, arg) ||
                         lua_type(L, arg) == LUA_TSTRING)) {
    lua_pushvalue(L, arg);
    misuse(L, "retry", "\"ofox\", \"openai\", \"aws\" or a table");
    return;
  }
  *p = *named;
  if (!lua_istable(L, arg))
    return;
  check_fields(L, arg, "retry", names);
  read_delays(L, arg, p);
  read_jitter(L, arg, p);
  read_statuses(L, arg, p);
  check_seed(L, arg);
}

/* State and errors */

/*
** Draws a number if the caller supplies none. Time and process are mixed in
** each time, for processes forked after loading this would draw the same.
** Upvalue 1 is the generator's state.
*/
static double fresh(lua_State *L) {
  uint64_t *state = lua_touserdata(L, lua_upvalueindex(1));
  *state ^= (uint64_t)(ofox_clocks_wall() * 1e9);
  *state += (uint64_t)getpid() << 32;
  return ofox_retry_random(state);
}

/*
** Reads the table of facts at 'i', which may be absent. 'names' are its
** fields. [-0, +0, v]
*/
static void read_state(lua_State *L, int i, const char *const *names,
                       struct ofox_retry_facts *f) {
  double elapsed = 0, deadline = INFINITY;
  memset(f, 0, sizeof(*f));
  f->should_retry = -1;
  f->hint = NAN;
  lua_settop(L, i);
  if (lua_isnil(L, i)) {
    lua_newtable(L);
    lua_replace(L, i);
  }
  if (!lua_istable(L, i))
    misuse(L, "state", "a table");
  check_fields(L, i, "state", names);
  f->attempt = read_count(L, i, "state.attempt", 0);
  f->max_retries = read_count(L, i, "state.max_retries", OFOX_MAX_RETRIES);
  read_number(L, i, "state.hint", "a number >= 0", 0, INFINITY, &f->hint);
  read_number(L, i, "state.elapsed", "a number >= 0", 0, DBL_MAX, &elapsed);
  read_number(L, i, "state.deadline", "a number >= 0", 0, INFINITY, &deadline);
  f->left = deadline - elapsed;
  push_field(L, i, "state.zero_before");
  f->zero_before = lua_toboolean(L, -1);
  lua_pop(L, 1);
  if (!read_number(L, i, "state.u", "a number from 0 to 1", 0, 1, &f->u))
    f->u = fresh(L);
}

/*
** Any value may have been raised: one that does not look like an ofox error is
** not retryable, and nothing of it is called. [-0, +0, m]
*/
static void read_error(lua_State *L, int i, struct ofox_retry_facts *f) {
  double n;
  if (!lua_istable(L, i))
    return;
  raw_field(L, i, "retryable");
  f->retryable = lua_isboolean(L, -1) && lua_toboolean(L, -1);
  raw_field(L, i, "status");
  if (is_whole(L, -1, 100, 999, &n))
    f->status = (int)n;
  raw_field(L, i, "retry_after");
  if (f->hint != f->hint && is_number(L, -1, &n))
    f->hint = n;
  raw_field(L, i, "headers");
  if (lua_istable(L, -1)) {
    raw_field(L, lua_gettop(L), "x-should-retry");
    if (lua_type(L, -1) == LUA_TSTRING)
      f->should_retry =
          ofox_headers_should_retry(ofox_span_of(lua_tostring(L, -1)));
    lua_pop(L, 1);
  }
  lua_pop(L, 4);
}

static void push_source(lua_State *L, const struct ofox_plan *plan) {
  lua_pushstring(L, plan->from_server ? "server" : "backoff");
}

/* retry_delay(policy, attempt [, state]) -> seconds, source */
static int retry_delay(lua_State *L) {
  static const char *const names[] = {"u",        "hint",        "elapsed",
                                      "deadline", "zero_before", NULL};
  struct ofox_policy policy;
  struct ofox_retry_facts f;
  struct ofox_plan plan;
  ofox_checkpolicy(L, 1, &policy);
  read_state(L, 3, names, &f);
  lua_pushvalue(L, 2);
  f.attempt = take_count(L, "attempt");
  f.retryable = 1;
  f.max_retries = -1;
  ofox_retry_plan(&policy, &f, &plan);
  lua_pushnumber(L, (lua_Number)plan.delay);
  push_source(L, &plan);
  return 2;
}

/* retry_plan(policy, err [, state]) -> {retry, delay, reason, source} */
static int retry_plan(lua_State *L) {
  static const char *const names[] = {"u",           "hint",        "elapsed",
                                      "deadline",    "zero_before", "attempt",
                                      "max_retries", NULL};
  struct ofox_policy policy;
  struct ofox_retry_facts f;
  struct ofox_plan plan;
  ofox_checkpolicy(L, 1, &policy);
  read_state(L, 3, names, &f);
  read_error(L, 2, &f);
  ofox_retry_plan(&policy, &f, &plan);
  lua_createtable(L, 0, 4);
  lua_pushboolean(L, plan.retry);
  lua_setfield(L, -2, "retry");
  lua_pushnumber(L, (lua_Number)plan.delay);
  lua_setfield(L, -2, "delay");
  push_source(L, &plan);
  lua_setfield(L, -2, "source");
  if (!plan.retry) {
    lua_pushstring(L, ofox_reason_name(plan.reason));
    lua_setfield(L, -2, "reason");
  }
  return 1;
}

/*
** retry_random(seed, n [, skip]) -> list of n draws, 0 <= u < 1: those after
** the first 'skip' of the seed
*/
static int retry_random(lua_State *L) {
  uint64_t state = 0;
  int i, n, skip = 0;
  lua_settop(L, 3);
  if (!lua_isnil(L, 3))
    skip = take_count(L, "skip");
  lua_settop(L, 2);
  n = take_count(L, "n");
  if (!is_seed(L, 1, &state))
    misuse(L, "seed", "an integer");
  state += (uint64_t)skip * OFOX_RANDOM_STEP;
  lua_newtable(L);
  for (i = 1; i <= n; i++) {
    lua_pushnumber(L, (lua_Number)ofox_retry_random(&state));
    lua_rawseti(L, -2, i);
  }
  return 1;
}

void ofox_open_retry(lua_State *L) {
  static const luaL_Reg fns[] = {{"retry_delay", retry_delay},
                                 {"retry_plan", retry_plan},
                                 {"retry_random", retry_random},
                                 {NULL, NULL}};
  const luaL_Reg *fn;
  uint64_t *state = ofox_newuserdata(L, sizeof(*state));
  *state = (uint64_t)(size_t)(void *)L;
  for (fn = fns; fn->name != NULL; fn++) {
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, fn->func, 1);
    lua_setfield(L, -3, fn->name);
  }
  lua_pop(L, 1);
}
