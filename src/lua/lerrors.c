/*
** ofox.core: classes and outcomes as data, and the parser of error answers
** for programs with another HTTP client.
** Misuse raises a string without a position that names the argument; the Lua
** side knows best whose line caused it.
*/
#include "lua/lerrors.h"

#include <math.h>

#include "base/utf8.h"
#include "call/verdict.h"
#include "io/clocks.h"
#include "lua/lheaders.h"
#include "lua/lofox.h"
#include "lua/lopen.h"
#include "wire/html.h"

#define PARSED_T "ofox.parsed"

/* An error while it is read, and room to redact its body. */
struct parsed {
  struct ofox_error error;
  struct ofox_buf text;
};

static int parsed_gc(lua_State *L) {
  struct parsed *p = luaL_checkudata(L, 1, PARSED_T);
  ofox_error_free(&p->error);
  ofox_buf_free(&p->text);
  return 0;
}

/* Sets a field of the table on top. [-0, +0, e] */
static void set_text(lua_State *L, const char *name, struct ofox_span s) {
  if (s.n == 0)
    return;
  lua_pushlstring(L, s.p, s.n);
  lua_setfield(L, -2, name);
}

static void set_string(lua_State *L, const char *name, const char *s) {
  set_text(L, name, ofox_span_of(s));
}

static void set_boolean(lua_State *L, const char *name, int b) {
  lua_pushboolean(L, b);
  lua_setfield(L, -2, name);
}

void ofox_pusherror(lua_State *L, const struct ofox_error *e) {
  lua_createtable(L, 0, 16);
  set_string(L, "type", ofox_classes[e->cls].type);
  set_string(L, "class", ofox_classes[e->cls].name);
  set_text(L, "code", ofox_buf_span(&e->code));
  set_text(L, "message", ofox_buf_span(&e->message));
  set_text(L, "param", ofox_buf_span(&e->param));
  set_text(L, "server_type", ofox_buf_span(&e->server_type));
  set_text(L, "request_id", ofox_buf_span(&e->request_id));
  set_boolean(L, "retryable", e->retryable);
  if (e->status != 0) {
    lua_pushinteger(L, e->status);
    lua_setfield(L, -2, "status");
  }
}

/* Raises "<what>: expected <expected>, got <got>". [-?, +0, v] */
static int misuse(lua_State *L, const char *what, const char *expected,
                  const char *got) {
  lua_pushfstring(L, "%s: expected %s, got %s", what, expected, got);
  return lua_error(L);
}

static int check_status(lua_State *L, int arg) {
  lua_Number n = lua_type(L, arg) == LUA_TNUMBER ? lua_tonumber(L, arg) : 0;
  if (!(n >= 100 && n <= 999 && floor(n) == n))
    misuse(L, "status", "an integer from 100 to 999", ofox_describe(L, arg));
  return (int)n;
}

/* Adds the data of the headers at 'arg' to the table on top. [-0, +0, e] */
static void add_headers(lua_State *L, int arg, const struct ofox_headers *h,
                        struct parsed *p, double wall) {
  struct ofox_ratelimit limits;
  struct ofox_span id = ofox_headers_request_id(h);
  int should =
      ofox_headers_should_retry(ofox_headers_get(h, "x-should-retry"));
  int retryable = should >= 0 ? should : p->error.retryable;
  double said, delay;
  if (!lua_isnil(L, arg)) {
    ofox_pushheaders(L, h, NULL);
    lua_setfield(L, -2, "headers");
    ofox_headers_ratelimit(h, wall, &limits);
    ofox_pushratelimit(L, &limits);
    lua_setfield(L, -2, "ratelimit");
  }
  if (id.n > 0) {
    ofox_buf_clear(&p->text);
    ofox_checkmemory(L, ofox_utf8_clean(&p->text, id));
    set_text(L, "request_id",
             ofox_utf8_cut(ofox_buf_span(&p->text), OFOX_CODE_CAP));
  }
  if (should >= 0)
    set_boolean(L, "retryable", should);
  if (should == 0)
    set_string(L, "reason", "server");
  if (ofox_headers_delay(h, wall, &said) != OFOX_SOURCE_NONE)
    delay = said;
  else
    delay = ofox_body_delay_left(&p->error.pause, ofox_headers_now(h, wall));
  if (retryable && !isnan(delay)) {
    ofox_setnumber(L, "retry_after", delay);
    ofox_setnumber(L, "retry_at", wall + delay);
  }
}

/* is_html(value) -> is it the text of a web page? */
static int errors_is_html(lua_State *L) {
  struct ofox_span s = OFOX_NOSPAN;
  if (lua_type(L, 1) == LUA_TSTRING)
    s.p = lua_tolstring(L, 1, &s.n);
  lua_pushboolean(L, s.p != NULL && ofox_html_is(OFOX_NOSPAN, s));
  return 1;
}

/*
** parse_error(status [, headers [, body]]) -> fields of the failure, or nil
** if the answer is not a failure
*/
static int errors_parse(lua_State *L) {
  double wall = floor(ofox_clocks_wall());
  int status = check_status(L, 1);
  struct ofox_whole_response a;
  struct ofox_verdict v;
  struct ofox_headers *h;
  struct parsed *p;
  lua_settop(L, 3);
  if (lua_type(L, 3) != LUA_TSTRING && !lua_isnil(L, 3))
    misuse(L, "body", "a string", ofox_describe(L, 3));
  if (!lua_istable(L, 2) && !lua_isnil(L, 2))
    misuse(L, "headers", "a table", /* a text may contain a secret */
           lua_type(L, 2) == LUA_TSTRING ? "a string" : ofox_describe(L, 2));
  a.status = status;
  a.framed = 1;
  a.body.p = luaL_optlstring(L, 3, "", &a.body.n);
  h = ofox_newheaders(L);
  ofox_checkheaders(L, 2, h);
  a.type = ofox_headers_get(h, "content-type");
  v = ofox_verdict_judge(&a, OFOX_EXPECT_ANY);
  if (!v.failed)
    return 0;
  p = ofox_newobject(L, PARSED_T, sizeof(*p));
  ofox_error_init(&p->error);
  ofox_buf_init(&p->text, (size_t)-1);
  ofox_checkmemory(
      L, ofox_error_read(&p->error, status, v.outcome, v.part, v.fallback));
  ofox_checkmemory(
      L, ofox_utf8_clean(&p->text, ofox_utf8_cut(a.body, OFOX_BODY_CAP)));
  ofox_pusherror(L, &p->error);
  set_boolean(L, "ambiguous", p->error.ambiguous);
  set_text(L, "body", ofox_utf8_cut(ofox_buf_span(&p->text), OFOX_BODY_CAP));
  add_headers(L, 2, h, p, wall);
  return 1;
}

/* Pushes the list core.classes. [-0, +1, e] */
static void push_classes(lua_State *L) {
  int i;
  lua_createtable(L, OFOX_NCLASSES, 0);
  for (i = 0; i < OFOX_NCLASSES; i++) {
    lua_createtable(L, 0, 3);
    set_string(L, "name", ofox_classes[i].name);
    set_string(L, "type", ofox_classes[i].type);
    set_boolean(L, "retryable", ofox_classes[i].retryable);
    lua_rawseti(L, -2, i + 1);
  }
}

const char *const ofox_outcome_names[] = {
#define X(id, cls, code, message) #id,
    OFOX_OUTCOMES(X)
#undef X
        NULL};

/* Pushes the list core.outcomes, without ANSWERED. [-0, +1, e] */
static void push_outcomes(lua_State *L) {
  const char *const *ids = ofox_outcome_names;
  int i;
  size_t j;
  lua_createtable(L, OFOX_NOUTCOMES - 1, 0);
  for (i = OFOX_OUTCOME_ANSWERED + 1; i < OFOX_NOUTCOMES; i++) {
    char name[32];
    for (j = 0; ids[i][j] != '\0' && j < sizeof(name) - 1; j++)
      name[j] = (char)ofox_tolower((unsigned char)ids[i][j]);
    name[j] = '\0';
    lua_createtable(L, 0, 4);
    set_string(L, "name", name);
    set_string(L, "type", ofox_classes[ofox_outcomes[i].cls].type);
    set_string(L, "code", ofox_outcomes[i].code);
    set_string(L, "message", ofox_outcomes[i].message);
    lua_rawseti(L, -2, i);
  }
}

void ofox_open_errors(lua_State *L) {
  static const luaL_Reg fns[] = {{"parse_error", errors_parse},
                                 {"is_html", errors_is_html},
                                 {NULL, NULL}};
  ofox_newclass(L, PARSED_T, parsed_gc);
  push_classes(L);
  lua_setfield(L, -2, "classes");
  push_outcomes(L);
  lua_setfield(L, -2, "outcomes");
  ofox_setfuncs(L, fns);
}
