/*
** ofox.engine: libcurl for Lua. One engine serves all calls of a Lua state.
*/
#include "lua/lcall.h"

#include <math.h>
#include <string.h>

#include "io/clocks.h"
#include "io/engine.h"
#include "lua/linterrupt.h"
#include "lua/lofox.h"
#include "lua/lpin.h"

#define ENGINE_T "ofox.engine"

struct lengine {
  struct ofox_engine *engine;
  const void *calls; /* the metatable of calls: a look at it spares a search */
};

static struct lengine *check_self(lua_State *L) {
  return ofox_self(L, ENGINE_T);
}

static struct ofox_engine *check(lua_State *L) {
  struct lengine *e = check_self(L);
  if (e->engine == NULL)
    luaL_error(L, "the engine is closed");
  if (!ofox_engine_is_ours(e->engine))
    luaL_error(L, "the engine belongs to the process that was forked");
  return e->engine;
}

/* The call at 2. [-0, +0, v] */
static struct ofox_call *check_call(lua_State *L) {
  const struct lengine *e = check_self(L);
  int ours;
  if (lua_touserdata(L, 2) != NULL && lua_getmetatable(L, 2)) {
    ours = lua_topointer(L, -1) == e->calls;
    lua_pop(L, 1);
    if (ours)
      return lua_touserdata(L, 2);
  }
  return luaL_checkudata(L, 2, OFOX_CALL_T);
}

/* engine.curl() -> libcurl's version string */
static int engine_curl(lua_State *L) {
  lua_pushstring(L, ofox_engine_curl());
  return 1;
}

/* engine.new() -> engine */
static int engine_new(lua_State *L) {
  struct lengine *e = ofox_newobject(L, ENGINE_T, sizeof(*e));
  luaL_getmetatable(L, OFOX_CALL_T);
  e->calls = lua_topointer(L, -1);
  lua_pop(L, 1);
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

/* engine:is_ours() -> created by this process, not by its parent */
static int engine_is_ours(lua_State *L) {
  struct lengine *e = check_self(L);
  lua_pushboolean(L, e->engine != NULL && ofox_engine_is_ours(e->engine));
  return 1;
}

/* The fields of a call's template also keep the engine: it lives as long as a
** call that it may serve. [-0, +0, e] */
static void keep_engine(lua_State *L) {
  ofox_getuservalue(L, 2);
  lua_rawgeti(L, -1, OFOX_TEMPLATE_ENGINE);
  if (lua_touserdata(L, -1) != lua_touserdata(L, 1)) {
    lua_pushvalue(L, 1);
    lua_rawseti(L, -3, OFOX_TEMPLATE_ENGINE);
  }
  lua_pop(L, 2);
}

/* engine:start(call): sends what call:prepare() has prepared */
static int engine_start(lua_State *L) {
  struct ofox_engine *e = check(L);
  struct ofox_call *c = check_call(L);
  struct ofox_lcall *sends = (struct ofox_lcall *)c;
  struct ofox_request r = sends->template->request;
  luaL_argcheck(L, c->state == OFOX_READY && sends->lines.n > 0, 2,
                "the call is not ready");
  luaL_argcheck(L, r.method != NULL && r.url != NULL, 2,
                "its template has no method or no url");
  r.own = (const char *const *)(const void *)sends->lines.p;
  r.body = sends->body;
  r.form = sends->form;
  keep_engine(L);
  ofox_checkmemory(L, ofox_engine_start(e, c, &r));
  return 0;
}

/*
** engine:step([seconds [, max_events]]): waits no longer than that, nor than
** OFOX_LONGEST_WAIT; false if a signal arrived first
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

/*
** engine:drive(call [, seconds]): steps until the state of the call changes,
** it has events, or the time is over; or until Lua must run first, since a
** signal has arrived, a guest has news, or a hook is set, as signal handlers
** do
*/
static int engine_drive(lua_State *L) {
  struct ofox_engine *e = check(L);
  struct ofox_call *c = check_call(L);
  double left = luaL_optnumber(L, 3, INFINITY);
  double till = ofox_clocks_now() + left;
  enum ofox_call_state state = c->state;
  int held = 0;
  while (!held && c->state == state && left > 0 && !c->news &&
         !ofox_event_queue_has_event(c->response.events)) {
    held = ofox_engine_step(e, fmin(left, OFOX_LONGEST_WAIT), 0) != 0 ||
           ofox_guests_have_news(ofox_engine_guests(e)) ||
           lua_gethookmask(L) != 0;
    ofox_checkinterrupt(L);
    if (till < INFINITY)
      left = till - ofox_clocks_now();
  }
  return 0;
}

/* engine:cancel(call) */
static int engine_cancel(lua_State *L) {
  struct lengine *e = check_self(L);
  ofox_engine_cancel(e->engine, check_call(L));
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

/* engine:alarm([moment]): step must be called then in any case */
static int engine_alarm(lua_State *L) {
  ofox_engine_alarm(check(L), luaL_optnumber(L, 2, INFINITY));
  return 0;
}

/* engine:checks() -> how often a call was asked when it is due: for specs */
static int engine_checks(lua_State *L) {
  lua_pushnumber(L, (lua_Number)ofox_engine_checks(check(L)));
  return 1;
}

/* engine:news() -> result of watch() for a call that has news, or nil: each
** once */
static int engine_news(lua_State *L) {
  struct ofox_note *m = ofox_ready_list_take(ofox_engine_news(check(L)));
  if (m == NULL)
    return 0;
  lua_pushlightuserdata(L, m);
  return 1;
}

/* engine:guest() -> note of a guest that has news, or nil: each once */
static int engine_guest(lua_State *L) {
  struct ofox_note *m = ofox_guests_take_news(ofox_engine_guests(check(L)));
  if (m == NULL)
    return 0;
  lua_pushlightuserdata(L, m);
  return 1;
}

/* engine:guests() -> what other C modules join, and the size of a guest, by
** which they know that it is of their build */
static int engine_guests(lua_State *L) {
  lua_pushlightuserdata(L, ofox_engine_guests(check(L)));
  lua_pushnumber(L, (lua_Number)sizeof(struct ofox_guest));
  return 2;
}

/* engine:pollfd([moment]) -> descriptor, or nil; events due from that moment
** on need not make it readable, see engine.h */
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
    {"drive", engine_drive},
    {"cancel", engine_cancel},
    {"timeout", engine_timeout},
    {"pollfd", engine_pollfd},
    {"alarm", engine_alarm},
    {"news", engine_news},
    {"guest", engine_guest},
    {"guests", engine_guests},
    {"now", engine_now},
    {"wall", engine_wall},
    {"checks", engine_checks},
    {NULL, NULL},
};

static const luaL_Reg FUNCTIONS[] = {
    {"curl", engine_curl},
    {"new", engine_new},
    {NULL, NULL},
};

/* Both modules must agree on the layout of structures. */
static void check_core(lua_State *L) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "loaded");
  lua_getfield(L, -1, "ofox.core");
  if (!lua_istable(L, -1))
    luaL_error(L, "ofox.engine wants ofox.core to be loaded first");
  lua_getfield(L, -1, "call_size");
  lua_getfield(L, -2, "VERSION");
  if (lua_tonumber(L, -2) != (lua_Number)sizeof(struct ofox_lcall) ||
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
  ofox_setmethods(L, lua_gettop(L) - 1, METHODS);
  lua_setfield(L, -2, "__index");
  lua_newtable(L);
  ofox_setfuncs(L, FUNCTIONS);
  return 1;
}
