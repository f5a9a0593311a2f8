/*
** ofox.redis: connections to Redis, as guests of an engine. What has ended is
** queued in C; connection:deliver() hands it to Lua.
*/
#include "lua/lofox.h"

#include <string.h>

#include "io/clocks.h"
#include "io/forks.h"
#include "lua/lnumber.h"
#include "lua/lpin.h"
#include "redis/connection.h"
#include "redis/pauses.h"
#include "redis/protocol.h"
#include "redis/sha1.h"

#define CONNECTION_T "ofox.redis"
#define LONGEST_TIMEOUT 3600.0
#define MOST_ARGUMENTS 100000

/* Its uservalue: ticket -> the function to call; "engine" -> the engine. */
struct lconnection {
  struct ofox_redis *redis; /* NULL: it was never made */
  struct ofox_redis_url url;
  struct ofox_buf rest;   /* of the script that eval prepares */
  struct ofox_buf number; /* that becomes a part of it */
  unsigned long tickets;
};

static struct lconnection *check(lua_State *L) {
  struct lconnection *c = luaL_checkudata(L, 1, CONNECTION_T);
  if (c->redis == NULL)
    luaL_error(L, "the connection was not made");
  return c;
}

/* Making one */

/* Pushes the option, which is of that type, or nil. [-0, +1, e] */
static void push_option(lua_State *L, const char *name, int type) {
  lua_getfield(L, 1, name);
  if (!lua_isnil(L, -1) && lua_type(L, -1) != type)
    luaL_error(L, "%s: expected a %s, got a %s", name, lua_typename(L, type),
               luaL_typename(L, -1));
}

/* What the engine at 'idx' has for guests. [-0, +0, e] */
static struct ofox_guests *guests_of(lua_State *L, int idx) {
  struct ofox_guests *guests;
  lua_getfield(L, idx, "guests");
  lua_pushvalue(L, idx);
  lua_call(L, 1, 2);
  guests = lua_touserdata(L, -2);
  if (lua_tonumber(L, -1) != (lua_Number)sizeof(struct ofox_guest))
    luaL_error(L, "ofox.redis and ofox.engine are of different builds");
  lua_pop(L, 2);
  return guests;
}

/* nil and what is wrong with an option, without its value. [-0, +2, m] */
static int refuse(lua_State *L, const char *option, const char *problem) {
  lua_pushnil(L);
  lua_pushfstring(L, "%s%s", option, problem);
  return 2;
}

/*
** redis.connect{engine, url, timeout = 0.1, ca_file} -> connection; or nil and
** what is wrong. Nothing is sent before the first script.
*/
static int redis_connect(lua_State *L) {
  struct lconnection *c;
  struct ofox_guests *guests;
  double timeout;
  const char *problem;
  char text[200];
  int rc;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  push_option(L, "engine", LUA_TUSERDATA);
  luaL_argcheck(L, !lua_isnil(L, 2), 1, "an engine is expected");
  guests = guests_of(L, 2);
  push_option(L, "url", LUA_TSTRING);
  push_option(L, "timeout", LUA_TNUMBER);
  push_option(L, "ca_file", LUA_TSTRING);
  timeout = luaL_optnumber(L, 4, 0.1);
  if (lua_isnil(L, 3))
    return refuse(L, "url: ", "it is missing");
  if (!(timeout > 0 && timeout <= LONGEST_TIMEOUT))
    return refuse(
        L, "timeout: ", "expected a number of seconds > 0, and at most 3600");
  c = ofox_newobject(L, CONNECTION_T, sizeof(*c));
  ofox_buf_init(&c->rest, (size_t)-1);
  ofox_buf_init(&c->number, (size_t)-1);
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, "engine");
  ofox_setuservalue(L, -2);
  rc = ofox_redis_url_read(&c->url, ofox_checkspan(L, 3), &problem);
  if (rc == OFOX_ESYNTAX)
    return refuse(L, "url: ", problem);
  ofox_checkmemory(L, rc);
  c->redis = ofox_redis_new(&c->url, lua_tostring(L, 5), timeout, guests, text,
                            sizeof(text));
  return c->redis != NULL ? 1 : refuse(L, "", text);
}

/* connection:close(): what is pending ends, and is still to be delivered */
static int connection_close(lua_State *L) {
  struct lconnection *c = luaL_checkudata(L, 1, CONNECTION_T);
  if (c->redis != NULL)
    ofox_redis_close(c->redis);
  return 0;
}

static int connection_gc(lua_State *L) {
  struct lconnection *c = luaL_checkudata(L, 1, CONNECTION_T);
  ofox_redis_delete(c->redis);
  c->redis = NULL;
  ofox_redis_url_free(&c->url);
  ofox_buf_free(&c->rest);
  ofox_buf_free(&c->number);
  return 0;
}

/* Scripts */

static void put(lua_State *L, struct ofox_buf *out, struct ofox_span s) {
  ofox_checkmemory(L, ofox_redis_put(out, s));
}

/* Adds the value on top, number 'i' of the list 'what', and pops it. */
static void put_value(lua_State *L, struct lconnection *c, const char *what,
                      int i) {
  struct ofox_span s = OFOX_NOSPAN;
  int type = lua_type(L, -1), rc = OFOX_ESYNTAX;
  if (type == LUA_TSTRING) {
    s.p = lua_tolstring(L, -1, &s.n);
    rc = 0;
  }
  else if (type == LUA_TNUMBER) {
    ofox_buf_clear(&c->number);
    rc = ofox_putnumber(L, &c->number, -1);
    s = ofox_buf_span(&c->number);
  }
  if (rc == OFOX_ESYNTAX)
    luaL_error(L, "%s: expected strings and finite numbers, got %s at %d",
               what, ofox_describe(L, -1), i);
  ofox_checkmemory(L, rc);
  put(L, &c->rest, s);
  lua_pop(L, 1);
}

/* Adds a list, whose length it returns. [-0, +0, e] */
static size_t put_list(lua_State *L, struct lconnection *c, int arg,
                       const char *what) {
  size_t n = ofox_rawlen(L, arg);
  int i;
  luaL_argcheck(L, n <= MOST_ARGUMENTS, arg, "too many");
  luaL_checkstack(L, 4, "too deep");
  for (i = 1; i <= (int)n; i++) {
    lua_rawgeti(L, arg, i);
    put_value(L, c, what, i);
  }
  return n;
}

/* Sets the field of a ticket in the table on top to the value at 'idx', which
** is positive; 0: to nil. [-0, +0, m] */
static void set_done(lua_State *L, unsigned long ticket, int idx) {
  lua_pushnumber(L, (lua_Number)ticket);
  if (idx != 0)
    lua_pushvalue(L, idx);
  else
    lua_pushnil(L);
  lua_rawset(L, -3);
}

/*
** connection:eval(script, keys, args, done): runs a script of Redis; deliver
** calls done(reply), or done(nil, problem, code). Strings stay strings,
** numbers integers, nil is false, and an error in a list is {err = text}.
*/
static int connection_eval(lua_State *L) {
  struct lconnection *c = check(L);
  struct ofox_span script = ofox_checkspan(L, 2), count;
  size_t keys, all;
  unsigned long ticket;
  luaL_checktype(L, 3, LUA_TTABLE);
  luaL_checktype(L, 4, LUA_TTABLE);
  luaL_checktype(L, 5, LUA_TFUNCTION);
  lua_settop(L, 5);
  ofox_buf_clear(&c->rest);
  keys = ofox_rawlen(L, 3);
  ofox_buf_clear(&c->number);
  ofox_checkmemory(L, ofox_buf_addint(&c->number, (long)keys));
  count = ofox_buf_span(&c->number);
  put(L, &c->rest, count);
  all = put_list(L, c, 3, "keys");
  all += put_list(L, c, 4, "args");
  ticket = ++c->tickets;
  ofox_getuservalue(L, 1);
  set_done(L, ticket, 5);
  if (ofox_redis_eval(c->redis, script, ofox_buf_span(&c->rest), all, ticket,
                      ofox_clocks_now()) != 0) {
    set_done(L, ticket, 0);
    ofox_checkmemory(L, OFOX_EMEM);
  }
  return 0;
}

/* Results */

/* Pushes the value at '*at'. Recursion is bounded by the reply's depth. */
static void push_reply(lua_State *L, const struct ofox_buf *b, size_t *at) {
  struct ofox_redis_value v = ofox_redis_reply_read(b, at);
  int i;
  luaL_checkstack(L, 4, "the reply is too deep");
  switch (v.kind) {
  case OFOX_REDIS_INTEGER:
#if OFOX_INTEGERS
    lua_pushinteger(L, (lua_Integer)v.number);
#else
    lua_pushnumber(L, (lua_Number)v.number);
#endif
    return;
  case OFOX_REDIS_TEXT:
    ofox_pushspan(L, v.text);
    return;
  case OFOX_REDIS_ERROR:
    lua_createtable(L, 0, 1);
    ofox_pushspan(L, v.text);
    lua_setfield(L, -2, "err");
    return;
  case OFOX_REDIS_ARRAY:
    lua_newtable(L);
    for (i = 1; i <= (int)v.number; i++) {
      push_reply(L, b, at);
      lua_rawseti(L, -2, i);
    }
    return;
  default:
    lua_pushboolean(L, 0);
  }
}

/* The first word of an error, such as OOM or LOADING. */
static struct ofox_span code_of(struct ofox_span text) {
  size_t n = 0;
  while (n < text.n && text.p[n] != ' ')
    n++;
  text.n = n;
  return text;
}

/* Pushes what 'done' is called with; returns how many. [-0, +(1|3), e] */
static int push_result(lua_State *L, const struct ofox_redis_result *result) {
  struct ofox_redis_value v;
  size_t at = 0;
  if (result->reply == NULL) {
    lua_pushnil(L);
    lua_pushstring(L, result->problem);
    lua_pushstring(L, result->code);
    return 3;
  }
  v = ofox_redis_reply_read(result->reply, &at);
  if (v.kind == OFOX_REDIS_ERROR) {
    lua_pushnil(L);
    ofox_pushspan(L, v.text);
    ofox_pushspan(L, code_of(v.text));
    return 3;
  }
  at = 0;
  push_reply(L, result->reply, &at);
  return 1;
}

/*
** connection:deliver() -> how many: calls the functions of the scripts that
** have ended. What one of them raises is raised here, and the others remain
** for the next call.
*/
static int connection_deliver(lua_State *L) {
  struct lconnection *c = check(L);
  struct ofox_redis_result result;
  int n, delivered = 0;
  lua_settop(L, 1);
  while (ofox_redis_peek(c->redis, &result)) {
    ofox_getuservalue(L, 1);
    lua_pushnumber(L, (lua_Number)result.ticket);
    lua_rawget(L, 2);
    n = push_result(L, &result);
    lua_pushvalue(L, 2);
    set_done(L, result.ticket, 0);
    lua_pop(L, 1);
    ofox_redis_pop(c->redis); /* from here on it counts as delivered */
    delivered++;
    lua_call(L, n, 0);
    lua_settop(L, 1);
  }
  lua_pushinteger(L, delivered);
  return 1;
}

/* connection:note() -> what engine:guest() returns when there is something to
** deliver */
static int connection_note(lua_State *L) {
  const struct lconnection *c = check(L);
  lua_pushlightuserdata(L, (void *)ofox_redis_note(c->redis));
  return 1;
}

/* connection:is_ours() -> created by this process, not by its parent; in a
** child all scripts end at once, with the code "forked" */
static int connection_is_ours(lua_State *L) {
  lua_pushboolean(L, ofox_redis_is_ours(check(L)->redis));
  return 1;
}

/* connection:state() -> "off", "connecting", "ready" or "closed" */
static int connection_state(lua_State *L) {
  lua_pushstring(L, ofox_redis_state(check(L)->redis));
  return 1;
}

static int connection_tostring(lua_State *L) {
  struct lconnection *c = check(L);
  ofox_buf_clear(&c->number);
  ofox_checkmemory(L, ofox_redis_describe(c->redis, &c->number));
  lua_pushliteral(L, "ofox.redis: ");
  ofox_pushspan(L, ofox_buf_span(&c->number));
  lua_pushfstring(L, " (%s)", ofox_redis_state(c->redis));
  lua_concat(L, 3);
  return 1;
}

/* Internal functions, for the specs: redis.parts */

/* parts.sha1(text) -> hexadecimal digits */
static int parts_sha1(lua_State *L) {
  char digits[OFOX_SHA1_DIGITS + 1];
  ofox_sha1(ofox_checkspan(L, 1), digits);
  lua_pushstring(L, digits);
  return 1;
}

/* parts.pauses({moment ...}, {succeeded ...}) -> for each attempt that began
** then, and perhaps succeeded, when the next may begin */
static int parts_pauses(lua_State *L) {
  struct ofox_redis_pauses p;
  int i, n;
  memset(&p, 0, sizeof(p));
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TTABLE);
  n = (int)ofox_rawlen(L, 1);
  lua_newtable(L);
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, 1, i);
    ofox_redis_pauses_begin(&p, lua_tonumber(L, -1));
    lua_rawgeti(L, 2, i);
    if (lua_toboolean(L, -1))
      ofox_redis_pauses_succeed(&p);
    lua_pop(L, 2);
    lua_pushnumber(L, p.until);
    lua_rawseti(L, -2, i);
  }
  return 1;
}

static const luaL_Reg METHODS[] = {
    {"eval", connection_eval},
    {"deliver", connection_deliver},
    {"note", connection_note},
    {"is_ours", connection_is_ours},
    {"state", connection_state},
    {"close", connection_close},
    {NULL, NULL},
};

static const luaL_Reg PARTS[] = {
    {"sha1", parts_sha1},
    {"pauses", parts_pauses},
    {NULL, NULL},
};

OFOX_EXPORT int luaopen_ofox_redis(lua_State *L);

/* redis.TLS: rediss:// is there */
int luaopen_ofox_redis(lua_State *L) {
  ofox_pin(); /* a lookup may run in its thread */
  if (ofox_forks_watch() != 0)
    return luaL_error(L, "not enough memory");
  luaL_newmetatable(L, CONNECTION_T);
  lua_pushcfunction(L, connection_gc);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, connection_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_newtable(L);
  ofox_setfuncs(L, METHODS);
  lua_setfield(L, -2, "__index");
  lua_newtable(L);
  lua_pushcfunction(L, redis_connect);
  lua_setfield(L, -2, "connect");
  lua_pushboolean(L, ofox_redis_has_tls());
  lua_setfield(L, -2, "TLS");
  lua_newtable(L);
  ofox_setfuncs(L, PARTS);
  lua_setfield(L, -2, "parts");
  return 1;
}
