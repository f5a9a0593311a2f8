/*
** ofox.core: templates.
*/
#include "lua/ltemplate.h"

#include <string.h>

#include "lua/laccount.h"
#include "lua/lofox.h"
#include "lua/lopen.h"
#include "lua/lsettings.h"

static int template_gc(lua_State *L) {
  struct ofox_template *t = luaL_checkudata(L, 1, OFOX_TEMPLATE_T);
  ofox_redact_free(&t->secrets);
  return 0;
}

/* Field 'name' of the table at 'arg', which keeps the string alive; NULL: it
** has none. [-0, +0, e] */
static const char *text_field(lua_State *L, int arg, const char *name) {
  const char *s;
  lua_getfield(L, arg, name);
  s = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  lua_pop(L, 1);
  return s;
}

static int integer_field(lua_State *L, int arg, const char *name) {
  int v;
  lua_getfield(L, arg, name);
  v = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return v;
}

static int is_set(lua_State *L, int arg, const char *name, int otherwise) {
  int v;
  lua_getfield(L, arg, name);
  v = lua_isnil(L, -1) ? otherwise : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return v;
}

/* Reads the request from the fields at 'arg'. [-0, +0, e] */
static void read_request(lua_State *L, int arg, struct ofox_request *r) {
  r->method = text_field(L, arg, "method");
  r->url = text_field(L, arg, "url");
  r->proxy = text_field(L, arg, "proxy");
  r->unix_socket = text_field(L, arg, "unix_socket");
  r->files.ca_file = text_field(L, arg, "ca_file");
  r->files.ca_path = text_field(L, arg, "ca_path");
  r->files.client_cert = text_field(L, arg, "client_cert");
  r->files.client_key = text_field(L, arg, "client_key");
  r->files.client_password = text_field(L, arg, "client_password");
  r->http_version = integer_field(L, arg, "http_version");
  r->max_connections = integer_field(L, arg, "max_connections");
  r->verify = is_set(L, arg, "verify", 1);
}

/* Converts the header lines in the list on top for the engine. [-0, +0, e] */
static void read_lines(lua_State *L, const char **lines, size_t n) {
  size_t i;
  for (i = 0; i < n; i++) {
    lua_rawgeti(L, -1, (int)i + 1);
    lines[i] = luaL_checkstring(L, -1);
    lua_pop(L, 1);
  }
  lines[n] = NULL;
}

void ofox_addsecret(lua_State *L, int arg, struct ofox_redact *to) {
  struct ofox_span s = ofox_checkspan(L, arg);
  char *lower;
  size_t i;
  if (s.n > OFOX_SECRET_MAX)
    s.n = OFOX_SECRET_MAX;
  ofox_checkmemory(L, ofox_redact_secret(to, s));
  lower = ofox_newuserdata(L, s.n + 1); /* never of size 0 */
  for (i = 0; i < s.n; i++)
    lower[i] = (char)ofox_tolower((unsigned char)s.p[i]);
  s.p = lower;
  ofox_checkmemory(L, ofox_redact_secret(to, s));
  lua_pop(L, 1);
}

/* Adds the list in field "secrets" at 'arg'. [-0, +0, e] */
static void add_secrets(lua_State *L, int arg, struct ofox_template *t) {
  size_t i, n;
  lua_getfield(L, arg, "secrets");
  n = lua_istable(L, -1) ? ofox_rawlen(L, -1) : 0;
  for (i = 0; i < n; i++) {
    lua_rawgeti(L, -1, (int)i + 1);
    ofox_addsecret(L, lua_gettop(L), &t->secrets);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* The number in field "plan" at 'arg', else one that is unique among templates
** of this Lua state. [-0, +0, e] */
static uint64_t plan_field(lua_State *L, int arg) {
  lua_Number n;
  lua_getfield(L, arg, "plan");
  n = lua_tonumber(L, -1);
  lua_pop(L, 1);
  if (n > 0)
    return (uint64_t)n;
  n = lua_tonumber(L, lua_upvalueindex(1)) + 1;
  lua_pushnumber(L, n);
  lua_replace(L, lua_upvalueindex(1));
  return (uint64_t)n;
}

/*
** core.template(fields, settings) -> template, its plan. Fields, none of which
** may change later: method, url, lines = {"Name: value"}, authorization and
** idempotency (lines too), key (how the line of one begins), idempotent, once,
** secrets = {text}, expect, dialect,
** verify, http_version, max_connections, proxy, ca_file, ca_path,
** unix_socket, client_cert, client_key, client_password, plan: that of a
** template with the same options for the engine; account; stats: see
** core.stats; hedge: seconds.
*/
static int template_new(lua_State *L) {
  struct ofox_template *t;
  size_t n;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  lua_getfield(L, 1, "lines");
  n = lua_istable(L, 3) ? ofox_rawlen(L, 3) : 0;
  t = ofox_newobject(L, OFOX_TEMPLATE_T,
                     sizeof(*t) + (n + 1) * sizeof(char *));
  lua_insert(L, 3);
  ofox_redact_init(&t->secrets);
  t->request.headers = (const char *const *)(void *)(t + 1);
  read_lines(L, (const char **)(void *)(t + 1), n);
  read_request(L, 1, &t->request);
  t->request.plan = plan_field(L, 1);
  t->authorization = text_field(L, 1, "authorization");
  t->key = text_field(L, 1, "key");
  t->idempotency = text_field(L, 1, "idempotency");
  t->idempotent = is_set(L, 1, "idempotent", 0);
  t->config.once = is_set(L, 1, "once", 0);
  lua_getfield(L, 1, "hedge");
  t->config.hedge = t->config.once ? 0 : lua_tonumber(L, -1);
  lua_getfield(L, 1, "account");
  t->config.account = ofox_optaccount(L, lua_gettop(L));
  lua_getfield(L, 1, "stats");
  t->stats = ofox_checkstats(L, -1);
  lua_settop(L, 3);
  ofox_checkshape(L, 1, &t->config.response);
  t->seeded = ofox_checksettings(L, 2, &t->config, &t->seed);
  add_secrets(L, 1, t);
  lua_settop(L, 3);
  lua_pushvalue(L, 3);
  lua_rawseti(L, 1, OFOX_TEMPLATE_SELF);
  lua_pushvalue(L, 1);
  ofox_setuservalue(L, 3);
  lua_pushnumber(L, (lua_Number)t->request.plan);
  return 2;
}

void ofox_open_template(lua_State *L) {
  ofox_newclass(L, OFOX_TEMPLATE_T, template_gc);
  lua_pushnumber(L, 0);
  lua_pushcclosure(L, template_new, 1);
  lua_setfield(L, -2, "template");
}
