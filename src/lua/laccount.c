/*
** ofox.core: accounts.
*/
#include "lua/laccount.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lua/lofox.h"
#include "lua/lopen.h"

#define ACCOUNT_T "ofox.account"
#define RECENT 32       /* are remembered though no client is left */
#define LONGEST_WAIT 60 /* seconds that a first call is waited for */
#define SLACK 0.5       /* seconds by which requests may differ on their way */

#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)
#define HASH_STEP UINT64_C(0x100000001b3)

/* FNV-1a */
static uint64_t hash(uint64_t h, const void *p, size_t n) {
  const unsigned char *b = p;
  size_t i;
  for (i = 0; i < n; i++)
    h = (h ^ b[i]) * HASH_STEP;
  return h;
}

uint32_t ofox_hashmodel(lua_State *L, int arg) {
  size_t n;
  const char *s;
  uint64_t h;
  if (lua_type(L, arg) != LUA_TSTRING)
    return 0;
  s = lua_tolstring(L, arg, &n);
  h = hash(HASH_BEGIN, s, n);
  h ^= h >> 32;
  return (uint32_t)h != 0 ? (uint32_t)h : 1;
}

/* A URL up to its path. */
static size_t origin_size(const char *url) {
  const char *host = strstr(url, "://");
  host = host != NULL ? host + 3 : url;
  return (size_t)(host - url) + strcspn(host, "/?#");
}

/* Is what is at 'arg' known by what it is, and not by where it is? [-0, +0, -]
 */
static int is_value(lua_State *L, int arg) {
  return lua_type(L, arg) <= LUA_TSTRING;
}

/* Adds the text, or the identity of what is none, at 'arg'. [-0, +0, -] */
static uint64_t add(lua_State *L, int arg, uint64_t h) {
  int type = lua_type(L, arg);
  h = hash(h, &type, sizeof(type));
  if (type == LUA_TSTRING) {
    size_t n;
    const char *s = lua_tolstring(L, arg, &n);
    return hash(h, s, n);
  }
  if (!is_value(L, arg)) {
    const void *p = lua_topointer(L, arg);
    h = hash(h, &p, sizeof(p));
  }
  return h;
}

static int account_gc(lua_State *L) {
  ofox_account_free(luaL_checkudata(L, 1, ACCOUNT_T));
  return 0;
}

/* Keeps what is at 'arg' in the table on top, unless it is a value: a key is
** kept nowhere. [-0, +0, e] */
static void keep(lua_State *L, int arg, int at) {
  if (is_value(L, arg))
    return;
  lua_pushvalue(L, arg);
  lua_rawseti(L, -2, at);
}

/*
** Keeps what the new account on top was made for as long as the account, for
** another object may get the address of one that is gone; or, if there is none
** such, keeps the account itself among the recent ones. [-0, +0, e]
*/
static void remember(lua_State *L) {
  int at = (int)lua_tointeger(L, lua_upvalueindex(3)) % RECENT + 1;
  if (!is_value(L, 2) || !is_value(L, 3)) {
    lua_createtable(L, 2, 0);
    keep(L, 2, 1);
    keep(L, 3, 2);
    ofox_setuservalue(L, -2);
    return;
  }
  lua_pushvalue(L, -1);
  lua_rawseti(L, lua_upvalueindex(2), at);
  lua_pushinteger(L, at);
  lua_replace(L, lua_upvalueindex(3));
}

/*
** core.account(url, key, transport) -> the account that has this origin and
** key: a string, or a function that returns it; on this transport, which has
** a clock of its own. The same as before, as long as it is remembered: while
** it has clients, or is one of the recent ones that are known by values.
*/
static int account_new(lua_State *L) {
  const char *url = luaL_checkstring(L, 1);
  struct ofox_account *a;
  uint64_t h;
  lua_settop(L, 3);
  h = hash(HASH_BEGIN, url, origin_size(url));
  h = add(L, 3, add(L, 2, h));
  lua_pushlstring(L, (const char *)&h, sizeof(h));
  lua_pushvalue(L, 4);
  lua_rawget(L, lua_upvalueindex(1));
  if (!lua_isnil(L, -1))
    return 1;
  lua_pop(L, 1);
  a = ofox_newobject(L, ACCOUNT_T, sizeof(*a));
  ofox_account_init(a);
  remember(L);
  lua_pushvalue(L, 4);
  lua_pushvalue(L, 5);
  lua_rawset(L, lua_upvalueindex(1));
  return 1;
}

/* Field 'name' of the table at 2, 'def' if it has none. [-0, +0, e] */
static double field(lua_State *L, const char *name, double def) {
  double v;
  lua_getfield(L, 2, name);
  v = luaL_optnumber(L, -1, def);
  lua_pop(L, 1);
  return v;
}

/*
** core.pace(account, limits): {rpm, tpm, burst, concurrent}, or true: what
** answers announce
*/
static int account_pace(lua_State *L) {
  struct ofox_account *a = luaL_checkudata(L, 1, ACCOUNT_T);
  struct ofox_pace_limits l = {NAN, NAN, NAN, NAN, 0, 1, LONGEST_WAIT, SLACK};
  lua_settop(L, 2);
  if (lua_istable(L, 2)) {
    l.rpm = field(L, "rpm", NAN);
    l.tpm = field(L, "tpm", NAN);
    l.burst = field(L, "burst", NAN);
    l.concurrent = field(L, "concurrent", NAN);
  }
  else {
    l.announced = 1;
  }
  ofox_checkmemory(L, ofox_account_pace(a, &l));
  return 0;
}

/* core.budget(account): retries are paid for, at the standard prices */
static int account_budget(lua_State *L) {
  struct ofox_account *a = luaL_checkudata(L, 1, ACCOUNT_T);
  ofox_account_budget(a, &ofox_budget_standard);
  return 0;
}

/* core.breaker(account, limits): {ratio, min_calls, window, open, probes}
** or true; each field may be absent */
static int account_breaker(lua_State *L) {
  struct ofox_account *a = luaL_checkudata(L, 1, ACCOUNT_T);
  struct ofox_breaker_limits l = ofox_breaker_standard;
  lua_settop(L, 2);
  if (lua_istable(L, 2)) {
    l.ratio = field(L, "ratio", l.ratio);
    l.min_calls = (int)field(L, "min_calls", l.min_calls);
    l.window = field(L, "window", l.window);
    l.open = field(L, "open", l.open);
    l.probes = (int)field(L, "probes", l.probes);
  }
  ofox_breakers_set(&a->breakers, &l);
  return 0;
}

/*
** core.account_name(url, key) -> what all processes call the account that has
** this origin and key; of a key that is no text: only the origin counts. The
** key cannot be known from it: it has less in it.
*/
static int account_name(lua_State *L) {
  const char *url = luaL_checkstring(L, 1);
  uint64_t h = hash(HASH_BEGIN, url, origin_size(url));
  char name[20];
  h = hash(h, "\n", 1);
  if (lua_type(L, 2) == LUA_TSTRING) {
    size_t n;
    const char *key = lua_tolstring(L, 2, &n);
    h = hash(h, key, n);
  }
  (void)snprintf(name, sizeof(name), "%08lx%08lx", (unsigned long)(h >> 32),
                 (unsigned long)(h & 0xffffffff));
  lua_pushstring(L, name);
  return 1;
}

struct ofox_account *ofox_optaccount(lua_State *L, int arg) {
  return lua_isnil(L, arg) ? NULL : luaL_checkudata(L, arg, ACCOUNT_T);
}

void ofox_open_account(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"pace", account_pace},
      {"budget", account_budget},
      {"breaker", account_breaker},
      {"account_name", account_name},
      {NULL, NULL},
  };
  ofox_newclass(L, ACCOUNT_T, account_gc);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_newtable(L);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, account_new, 3);
  lua_setfield(L, -2, "account");
  ofox_setfuncs(L, functions);
}
