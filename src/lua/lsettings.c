#include "lua/lsettings.h"

#include <math.h>
#include <string.h>

#include "lua/lretry.h"
#include "wire/dialects/list.h"

/* As enum ofox_expect has them; an answer is expected by its dialect. */
static const char *const EXPECTS[] = {
    "object", "", "data", "list", "any", "raw", "contact", "job", NULL};

/* Field of the table at 'arg': a number, 'def' if nil. [-0, +0, e] */
static double number_field(lua_State *L, int arg, const char *name,
                           double def) {
  double v;
  lua_getfield(L, arg, name);
  v = luaL_optnumber(L, -1, def);
  lua_pop(L, 1);
  return v;
}

uint64_t ofox_newseed(const void *of, double now) {
  /* the address differs between processes, the time between calls */
  return (uint64_t)(size_t)of * OFOX_RANDOM_STEP + (uint64_t)(now * 1e9);
}

/* Field "seed" of the policy on top: 1 if there is one. [-0, +0, e] */
static int seed_field(lua_State *L, uint64_t *seed) {
  double v;
  if (!lua_istable(L, -1))
    return 0;
  v = number_field(L, lua_gettop(L), "seed", NAN);
  memcpy(seed, &v, sizeof(*seed));
  return !isnan(v);
}

/* Is field 'name' of the table at 'arg' true, or anything but false? */
static int flag_field(lua_State *L, int arg, const char *name) {
  int v;
  lua_getfield(L, arg, name);
  v = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return v;
}

/* Reads the time limits of the settings at 'arg'. [-0, +0, e] */
static struct ofox_time_limits limits_of(lua_State *L, int arg) {
  struct ofox_time_limits l;
  l.deadline = number_field(L, arg, "deadline", INFINITY);
  l.connect_timeout = number_field(L, arg, "connect_timeout", INFINITY);
  l.timeout = number_field(L, arg, "timeout", INFINITY);
  l.idle_timeout = number_field(L, arg, "idle_timeout", INFINITY);
  l.stream_timeout = number_field(L, arg, "stream_timeout", INFINITY);
  return l;
}

static const struct ofox_dialect *find_dialect(const char *name) {
  const struct ofox_dialect *const *d = ofox_dialects;
  while (*d != NULL && strcmp((*d)->name, name) != 0)
    d++;
  return *d;
}

const struct ofox_dialect *ofox_checkdialect(lua_State *L, int arg) {
  const struct ofox_dialect *d = find_dialect(luaL_checkstring(L, arg));
  luaL_argcheck(L, d != NULL, arg, "not a dialect");
  return d;
}

void ofox_checkshape(lua_State *L, int arg,
                     struct ofox_response_config *config) {
  int top = lua_gettop(L);
  lua_getfield(L, arg, "expect");
  lua_getfield(L, arg, "dialect");
  config->answer = find_dialect(luaL_optstring(L, top + 1, ""));
  if (config->answer != NULL && config->answer->due != NULL)
    config->expect = OFOX_EXPECT_ANSWER;
  else
    config->expect =
        (enum ofox_expect)luaL_checkoption(L, top + 1, EXPECTS[0], EXPECTS);
  config->streams = !lua_isnil(L, top + 2);
  if (config->streams)
    config->dialect = ofox_checkdialect(L, top + 2);
  lua_settop(L, top);
}

int ofox_checksettings(lua_State *L, int arg, struct ofox_call_config *config,
                       uint64_t *seed) {
  struct ofox_response_config *response = &config->response;
  int seeded;
  luaL_checktype(L, arg, LUA_TTABLE);
  config->max_retries = (int)number_field(L, arg, "max_retries", 0);
  config->limits = limits_of(L, arg);
  config->holds = flag_field(L, arg, "hold");
  config->paces = flag_field(L, arg, "pace");
  config->budgets = flag_field(L, arg, "budget");
  config->breaks = flag_field(L, arg, "breaker");
  response->max_body =
      (size_t)number_field(L, arg, "max_response_bytes", OFOX_MAX_RESPONSE);
  response->max_event =
      (size_t)number_field(L, arg, "max_event_bytes", OFOX_MAX_EVENT);
  lua_getfield(L, arg, "retry");
  ofox_checkpolicy(L, lua_gettop(L), &config->policy);
  seeded = seed_field(L, seed);
  lua_pop(L, 1);
  return seeded;
}
