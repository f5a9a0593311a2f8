#include "lua/lsettings.h"

#include <math.h>
#include <string.h>

#include "io/clocks.h"
#include "lua/lretry.h"

static const char *const DIALECTS[] = {"chat", "responses", "any", NULL};
static const char *const EXPECTS[] = {"object", "choices", "output",
                                      "data",   "list",    "any",
                                      "raw",    "contact", NULL};

/* Field of the table at 1: a number, 'def' if nil. [-0, +0, e] */
static double number_field(lua_State *L, const char *name, double def) {
  double v;
  lua_getfield(L, 1, name);
  v = luaL_optnumber(L, -1, def);
  lua_pop(L, 1);
  return v;
}

/* Field "seed" of the policy at 'arg', else one that no other call has. */
static uint64_t seed_field(lua_State *L, int arg) {
  uint64_t bits;
  double v = NAN;
  if (lua_istable(L, arg)) {
    lua_getfield(L, arg, "seed");
    v = luaL_optnumber(L, -1, NAN);
    lua_pop(L, 1);
  }
  if (isnan(v)) { /* the address tells processes apart, the time calls */
    return (uint64_t)(size_t)L * OFOX_RANDOM_STEP +
           (uint64_t)(ofox_clocks_now() * 1e9);
  }
  memcpy(&bits, &v, sizeof(bits));
  return bits;
}

/* What the settings at 1 say of time. [-0, +0, e] */
static struct ofox_time_limits limits_of(lua_State *L) {
  struct ofox_time_limits l;
  l.deadline = number_field(L, "deadline", INFINITY);
  l.connect_timeout = number_field(L, "connect_timeout", INFINITY);
  l.timeout = number_field(L, "timeout", INFINITY);
  l.idle_timeout = number_field(L, "idle_timeout", INFINITY);
  l.stream_timeout = number_field(L, "stream_timeout", INFINITY);
  return l;
}

enum ofox_dialect ofox_checkdialect(lua_State *L, int arg) {
  return (enum ofox_dialect)luaL_checkoption(L, arg, NULL, DIALECTS);
}

void ofox_checksettings(lua_State *L, struct ofox_call_config *config) {
  struct ofox_response_config *response = &config->response;
  luaL_checktype(L, 1, LUA_TTABLE);
  memset(config, 0, sizeof(*config));
  config->models = (int)luaL_checkinteger(L, 3);
  response->expect =
      (enum ofox_expect)luaL_checkoption(L, 4, EXPECTS[0], EXPECTS);
  response->streams = !lua_isnoneornil(L, 5);
  if (response->streams)
    response->dialect = ofox_checkdialect(L, 5);
  lua_settop(L, 5);
  config->max_retries = (int)number_field(L, "max_retries", 0);
  config->limits = limits_of(L);
  response->max_body =
      (size_t)number_field(L, "max_response_bytes", OFOX_MAX_RESPONSE);
  response->max_event =
      (size_t)number_field(L, "max_event_bytes", OFOX_MAX_EVENT);
  lua_getfield(L, 1, "retry");
  ofox_checkpolicy(L, 6, &config->policy);
  config->seed = seed_field(L, 6);
  lua_settop(L, 5);
}
