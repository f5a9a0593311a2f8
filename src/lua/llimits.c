/*
** ofox.core: what an account's limits say now.
*/
#include <math.h>

#include "io/clocks.h"
#include "lua/laccount.h"
#include "lua/lofox.h"
#include "lua/lopen.h"

static const char *const STATES[] = {"closed", "open", "half_open"};

/* Adds what a lane says to the table on top: seconds until its hold is over,
** how many wait. [-0, +0, e] */
static void set_lane(lua_State *L, const struct ofox_lane *l, double now) {
  if (l->hold.held && l->hold.until > now)
    ofox_setnumber(L, "hold", l->hold.until - now);
  lua_pushinteger(L, (lua_Integer)l->turns.n);
  lua_setfield(L, -2, "waiting");
}

static void set_pace(lua_State *L, const struct ofox_account *a, double now) {
  static const char *const names[] = {"rpm", "tpm"};
  double next = ofox_pace_next(&a->pace, now, 0);
  int i;
  lua_createtable(L, 0, 4);
  if (next < INFINITY)
    ofox_setnumber(L, "wait", next - now);
  ofox_setnumber(L, "in_flight", a->pace.in_flight);
  for (i = 0; i < OFOX_PACE_UNITS; i++) {
    if (a->pace.quotas[i].is_known)
      ofox_setnumber(L, names[i], a->pace.quotas[i].rate * 60);
  }
  lua_setfield(L, -2, "pace");
}

/* Adds what a model's breaker says. [-0, +0, e] */
static void set_breaker(lua_State *L, const struct ofox_breaker *b,
                        double now) {
  double next = ofox_breaker_next(b, now);
  lua_pushstring(L, STATES[ofox_breaker_state(b, now)]);
  lua_setfield(L, -2, "breaker");
  if (next > now)
    ofox_setnumber(L, "retry_after", next - now);
}

/* Adds the model whose name is on top to the table at 'to', if there is
** anything to say of it. [-1, +0, e] */
static void add_model(lua_State *L, int to, const struct ofox_account *a,
                      double now) {
  uint32_t model = ofox_hashmodel(L, lua_gettop(L));
  const struct ofox_lane *l = ofox_account_lane(a, model);
  const struct ofox_breaker *b = ofox_breakers_find(&a->breakers, model);
  if (l == NULL && b == NULL) {
    lua_pop(L, 1);
    return;
  }
  lua_createtable(L, 0, 4);
  if (l != NULL)
    set_lane(L, l, now);
  if (b != NULL)
    set_breaker(L, b, now);
  lua_rawset(L, to);
}

/*
** core.read_limits(account, now, models) -> what its limits say now; 'models'
** has the ids of models as keys, of which there is a row if something holds
** them
*/
static int read_limits(lua_State *L) {
  struct ofox_account *a = ofox_optaccount(L, 1);
  double now =
      lua_isnoneornil(L, 2) ? ofox_clocks_now() : luaL_checknumber(L, 2);
  int models;
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 3);
  luaL_argcheck(L, a != NULL, 1, "expected an account");
  lua_createtable(L, 0, 5);
  set_lane(L, &a->all, now);
  if (a->paces)
    set_pace(L, a, now);
  if (a->budgets)
    ofox_setnumber(L, "budget", a->budget.left);
  lua_newtable(L);
  models = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, 3) != 0) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    add_model(L, models, a, now);
  }
  lua_setfield(L, -2, "models");
  return 1;
}

void ofox_open_limits(lua_State *L) {
  lua_pushcfunction(L, read_limits);
  lua_setfield(L, -2, "read_limits");
}
