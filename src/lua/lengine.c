/*
** ofox.engine: libcurl for Lua. One engine serves all calls of a Lua state.
*/
#include "lua/lofox.h"

#include <math.h>
#include <string.h>

#include "io/clocks.h"
#include "io/engine.h"
#include "lua/linterrupt.h"
#include "lua/lpin.h"

#define ENGINE_T "ofox.engine"

struct lengine {
  struct ofox_engine *engine;
};

static struct ofox_engine *check(lua_State *L) {
  struct lengine *e = luaL_checkudata(L, 1, ENGINE_T);
  if (e->engine == NULL)
    luaL_error(L, "the engine is closed");
  if (!ofox_engine_is_ours(e->engine))
    luaL_error(L, "the engine belongs to the process that was forked");
  return e->engine;
}

static struct ofox_call *check_call(lua_State *L, int arg) {
  return luaL_checkudata(L, arg, OFOX_CALL_T);
}

/* engine.curl() -> what libcurl says that it is made of */
static int engine_curl(lua_State *L) {
  lua_pushstring(L, ofox_engine_curl());
  return 1;
}

/* engine.new() -> engine */
static int engine_new(lua_State *L) {
  struct lengine *e = ofox_newobject(L, ENGINE_T, sizeof(*e));
  e->engine = ofox_engine_new();
  ofox_checkmemory(L, e->engine == NULL);
  return 1;
}

static int engine_gc(lua_State *L) {
  struct lengine *e = luaL_checkudata(L, 1, ENGINE_T);
  ofox_engine_delete(e->engine);
  e->engine = NULL;
  return 0;
}

/* engine:is_ours() -> made by this process, not by the one it was forked of */
static int engine_is_ours(lua_State *L) {
  struct lengine *e = luaL_checkudata(L, 1, ENGINE_T);
  lua_pushboolean(L, e->engine != NULL && ofox_engine_is_ours(e->engine));
  return 1;
}

static const char *string_field(lua_State *L, int t, const char *name) {
  const char *s;
  lua_getfield(L, t, name);
  s = lua_tostring(L, -1);
  lua_pop(L, 1); /* the table keeps the string */
  return s;
}

static int integer_field(lua_State *L, int t, const char *name) {
  int v;
  lua_getfield(L, t, name);
  v = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return v;
}

/*
** Header lines of the list at 't', and two more if they are not NULL, as an
** array for the engine; what it points to lives in the list and in the
** userdata pushed. [-0, +1, e]
*/
static const char *const *push_lines(lua_State *L, int t, const char *one,
                                     const char *two) {
  size_t i, n = ofox_rawlen(L, t);
  const char **lines = ofox_newuserdata(L, (n + 3) * sizeof(*lines));
  for (i = 0; i < n; i++) {
    lua_rawgeti(L, t, (int)i + 1);
    lines[i] = luaL_checkstring(L, -1);
    lua_pop(L, 1);
  }
  if (one != NULL)
    lines[n++] = one;
  if (two != NULL)
    lines[n++] = two;
  lines[n] = NULL;
  return lines;
}

/*
** engine:start(call, {method=, url=, lines={"Name: value"}, authorization=,
** idempotency= (lines too), body=, verify=, http_version=, max_connections=,
** proxy=, ca_file=, ca_path=, unix_socket=, client_cert=, client_key=,
** client_password=})
*/
static int engine_start(lua_State *L) {
  struct ofox_engine *e = check(L);
  struct ofox_call *c = check_call(L, 2);
  struct ofox_request r;
  luaL_checktype(L, 3, LUA_TTABLE);
  luaL_argcheck(L, c->state == OFOX_READY, 2, "the call is not ready");
  lua_settop(L, 3);
  memset(&r, 0, sizeof(r));
  r.method = string_field(L, 3, "method");
  r.url = string_field(L, 3, "url");
  r.proxy = string_field(L, 3, "proxy");
  r.unix_socket = string_field(L, 3, "unix_socket");
  r.files.ca_file = string_field(L, 3, "ca_file");
  r.files.ca_path = string_field(L, 3, "ca_path");
  r.files.client_cert = string_field(L, 3, "client_cert");
  r.files.client_key = string_field(L, 3, "client_key");
  r.files.client_password = string_field(L, 3, "client_password");
  r.http_version = integer_field(L, 3, "http_version");
  r.max_connections = integer_field(L, 3, "max_connections");
  lua_getfield(L, 3, "verify");
  r.verify = lua_isnil(L, -1) || lua_toboolean(L, -1);
  lua_getfield(L, 3, "body");
  r.body.p = lua_tolstring(L, -1, &r.body.n);
  lua_getfield(L, 3, "lines");
  luaL_checktype(L, -1, LUA_TTABLE);
  r.headers = push_lines(L, lua_gettop(L), string_field(L, 3, "authorization"),
                         string_field(L, 3, "idempotency"));
  luaL_argcheck(L, r.method != NULL && r.url != NULL, 3,
                "method and url are wanted");
  /* body and names stay where they are as long as the call does, and the
     engine as long as a call that it serves */
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, 3);
  lua_rawseti(L, -2, 2);
  ofox_setuservalue(L, 2);
  ofox_checkmemory(L, ofox_engine_start(e, c, &r));
  return 0;
}

/*
** engine:step([seconds [, max_events]]): waits no longer than that, nor than
** OFOX_LONGEST_WAIT; false when a signal came first
*/
static int engine_step(lua_State *L) {
  struct ofox_engine *e = check(L);
  double seconds =
      fmin(luaL_optnumber(L, 2, OFOX_LONGEST_WAIT), OFOX_LONGEST_WAIT);
  double max = luaL_optnumber(L, 3, 0);
  int rc = ofox_engine_step(e, seconds > 0 ? seconds : 0,
                            max > 0 && max < 1e6 ? (size_t)max : 0);
  ofox_checkinterrupt(L);
  lua_pushboolean(L, rc == 0);
  return 1;
}

/* engine:cancel(call) */
static int engine_cancel(lua_State *L) {
  struct lengine *e = luaL_checkudata(L, 1, ENGINE_T);
  ofox_engine_cancel(e->engine, check_call(L, 2));
  return 0;
}

/* engine:timeout() -> seconds until step has something to do, or nil */
static int engine_timeout(lua_State *L) {
  double t = ofox_engine_timeout(check(L));
  if (!(t < INFINITY))
    return 0;
  lua_pushnumber(L, t);
  return 1;
}

/* engine:alarm([moment]): step is wanted then, whatever happens */
static int engine_alarm(lua_State *L) {
  ofox_engine_alarm(check(L), luaL_optnumber(L, 2, INFINITY));
  return 0;
}

/* engine:news() -> what watch() gave for a call that has something new, or
** nil: each once */
static int engine_news(lua_State *L) {
  struct ofox_note *m = ofox_ready_list_take(ofox_engine_news(check(L)));
  if (m == NULL)
    return 0;
  lua_pushlightuserdata(L, m);
  return 1;
}

/* engine:pollfd([moment]) -> descriptor, or nil; moments from that on need not
** show, see engine.h */
static int engine_pollfd(lua_State *L) {
  int fd = ofox_engine_pollfd(check(L), luaL_optnumber(L, 2, INFINITY));
  if (fd < 0)
    return 0;
  lua_pushinteger(L, fd);
  return 1;
}

static int engine_now(lua_State *L) {
  lua_pushnumber(L, ofox_clocks_now());
  return 1;
}

static int engine_wall(lua_State *L) {
  lua_pushnumber(L, ofox_clocks_wall());
  return 1;
}

static const luaL_Reg METHODS[] = {
    {"is_ours", engine_is_ours},
    {"start", engine_start},
    {"step", engine_step},
    {"cancel", engine_cancel},
    {"timeout", engine_timeout},
    {"pollfd", engine_pollfd},
    {"alarm", engine_alarm},
    {"news", engine_news},
    {"now", engine_now},
    {"wall", engine_wall},
    {NULL, NULL},
};

static const luaL_Reg FUNCTIONS[] = {
    {"curl", engine_curl},
    {"new", engine_new},
    {NULL, NULL},
};

/* Both modules hold the same structures, or must not meet. */
static void check_core(lua_State *L) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "loaded");
  lua_getfield(L, -1, "ofox.core");
  if (!lua_istable(L, -1))
    luaL_error(L, "ofox.engine wants ofox.core to be loaded first");
  lua_getfield(L, -1, "call_size");
  lua_getfield(L, -2, "VERSION");
  if (lua_tonumber(L, -2) != (lua_Number)sizeof(struct ofox_call) ||
      lua_tostring(L, -1) == NULL ||
      strcmp(lua_tostring(L, -1), OFOX_VERSION) != 0)
    luaL_error(L, "ofox.engine and ofox.core are of different builds");
  lua_pop(L, 5);
}

OFOX_EXPORT int luaopen_ofox_engine(lua_State *L);

int luaopen_ofox_engine(lua_State *L) {
  check_core(L);
  ofox_pin();
  if (ofox_engine_setup() != 0)
    return luaL_error(L, "libcurl could not be set up");
  ofox_open_interrupt(L);
  luaL_newmetatable(L, ENGINE_T);
  lua_pushcfunction(L, engine_gc);
  lua_setfield(L, -2, "__gc");
  lua_newtable(L);
  ofox_setfuncs(L, METHODS);
  lua_setfield(L, -2, "__index");
  lua_newtable(L);
  ofox_setfuncs(L, FUNCTIONS);
  return 1;
}
