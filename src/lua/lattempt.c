/*
** ofox.core: creates calls, and sets what their attempts send.
*/
#include <stdlib.h>
#include <string.h>

#include "io/clocks.h"
#include "io/forks.h"
#include "lua/laccount.h"
#include "lua/lcall.h"
#include "lua/lencode.h"
#include "lua/lform.h"
#include "lua/lmachine.h"
#include "lua/lofox.h"
#include "lua/lsettings.h"
#include "lua/ltally.h"

#define BYTES_OF_TOKEN 4 /* about, in English */

static const char AUTHORIZATION[] = "Authorization: Bearer ";

void ofox_lcall_init(struct ofox_lcall *c) {
  ofox_buf_init(&c->scratch, (size_t)-1);
  ofox_buf_init(&c->answer, (size_t)-1);
  ofox_buf_init(&c->bodies, (size_t)-1);
  ofox_buf_init(&c->own, (size_t)-1);
  ofox_buf_init(&c->authorization, (size_t)-1);
  ofox_buf_init(&c->lines, (size_t)-1);
}

void ofox_lcall_forget(struct ofox_lcall *c) {
  ofox_buf_free(&c->bodies);
  free(c->ends);
  c->ends = NULL;
  ofox_buf_free(&c->own);
  ofox_buf_free(&c->authorization);
  ofox_buf_free(&c->lines);
  ofox_lform_free(c);
  c->body = OFOX_NOSPAN;
}

void ofox_lcall_free(struct ofox_lcall *c) {
  ofox_lcall_forget(c);
  ofox_buf_free(&c->scratch);
  ofox_buf_free(&c->answer);
}

/* Adds one body to the call on top: a string unchanged. [-0, +0, e] */
static void add_body(lua_State *L, int arg, struct ofox_lcall *c) {
  ofox_checkmemory(L, ofox_buf_addspan(&c->bodies, ofox_checkspan(L, arg)));
}

/* Adds the list of bodies at 'arg', with their ends, for the list of models at
** 'arg' + 1. [-0, +0, e] */
static int add_bodies(lua_State *L, int arg, struct ofox_lcall *c) {
  size_t i, n = ofox_rawlen(L, arg);
  c->ends = calloc(n > 0 ? n : 1, sizeof(*c->ends));
  ofox_checkmemory(L, c->ends == NULL ? OFOX_EMEM : 0);
  for (i = 0; i < n; i++) {
    lua_rawgeti(L, arg, (int)i + 1);
    add_body(L, lua_gettop(L), c);
    if (lua_istable(L, arg + 1)) {
      lua_rawgeti(L, arg + 1, (int)i + 1);
      c->ends[i].model = ofox_hashmodel(L, -1);
    }
    lua_settop(L, arg + 1);
    c->ends[i].at = c->bodies.n;
  }
  return (int)n;
}

struct ofox_lcall *ofox_pushcall(lua_State *L, int like,
                                 const struct ofox_template *t, double now) {
  struct ofox_lcall *c = ofox_newobject(L, OFOX_CALL_T, sizeof(*c));
  ofox_call_init(&c->call, &t->config,
                 t->seeded ? t->seed : ofox_newseed(c, now), now);
  /* it computes what it searches for on first use */
  ofox_redact_begin(&c->call.secrets, (struct ofox_redact *)&t->secrets);
  c->template = t;
  if (t->config.account != NULL)
    ofox_account_enter(t->config.account, ofox_forks_passed());
  ofox_lcall_init(c);
  ofox_getuservalue(L, like);
  ofox_setuservalue(L, -2);
  return c;
}

/*
** core.call(template [, now [, body [, bodies [, models [, hedge]]]]]) ->
** call, or nil and what is wrong with the body: absent, bytes, or a table to
** encode, in which lists known to the API are lists even if they are empty.
** For several models 'bodies' is a list, with the bytes for each, and 'models'
** one of their ids, else it is the id. 'hedge': hedges alone ask the last of
** them.
*/
static int call_new(lua_State *L) {
  struct ofox_template *t = ofox_self(L, OFOX_TEMPLATE_T);
  double now =
      lua_isnoneornil(L, 2) ? ofox_clocks_now() : luaL_checknumber(L, 2);
  struct ofox_lcall *c;
  int hedge;
  hedge = lua_toboolean(L, 6);
  lua_settop(L, 5);
  c = ofox_pushcall(L, 1, t, now);
  c->call.lane = ofox_hashmodel(L, 5);
  lua_insert(L, 1);
  c->has_body = 1;
  if (lua_istable(L, 5)) {
    c->call.models = add_bodies(L, 5, c);
    c->call.hedge_model = hedge && c->call.models > 1;
  }
  else if (lua_istable(L, 4)) {
    if (ofox_encode_to(L, 4, &c->bodies) != 0) {
      lua_pushnil(L);
      lua_insert(L, -2);
      return 2;
    }
  }
  else if (!lua_isnil(L, 4)) {
    add_body(L, 4, c);
  }
  else {
    c->has_body = 0;
  }
  ofox_tally_join(L, &c->call, &c->tally, t->stats, 6);
  lua_settop(L, 1);
  return 1;
}

static struct ofox_lcall *check(lua_State *L) {
  return ofox_self(L, OFOX_CALL_T);
}

/* Discards what functions returned for an earlier attempt. */
static void begin_own(struct ofox_lcall *c) {
  if (c->own_of == c->call.attempts)
    return;
  c->own_of = c->call.attempts;
  ofox_buf_clear(&c->own);
  ofox_buf_clear(&c->authorization);
}

/* call:line(line): a header line of the next attempt */
static int call_line(lua_State *L) {
  struct ofox_lcall *c = check(L);
  struct ofox_span s = ofox_checkspan(L, 2);
  begin_own(c);
  s.n++; /* with its NUL */
  ofox_checkmemory(L, ofox_buf_addspan(&c->own, s));
  return 0;
}

/* call:authorize(key): the API key of the next attempt */
static int call_authorize(lua_State *L) {
  struct ofox_lcall *c = check(L);
  struct ofox_span s = ofox_checkspan(L, 2);
  int rc;
  begin_own(c);
  ofox_buf_clear(&c->authorization);
  s.n++; /* with its NUL */
  rc = ofox_buf_adds(&c->authorization, c->template->key != NULL
                                            ? c->template->key
                                            : AUTHORIZATION);
  if (rc == 0)
    rc = ofox_buf_addspan(&c->authorization, s);
  ofox_checkmemory(L, rc);
  return 0;
}

/* The key is the same for all attempts with one model: another model gets
** another body. [-0, +0, e] */
static const char *idempotency_line(lua_State *L, struct ofox_lcall *c) {
  const struct ofox_template *t = c->template;
  if (t->idempotency != NULL || t->idempotent)
    return t->idempotency;
  if (c->idempotency_of != c->call.model + 1) {
    memcpy(c->idempotency, OFOX_IDEMPOTENCY, sizeof(OFOX_IDEMPOTENCY));
    ofox_putid(L, c->idempotency + sizeof(OFOX_IDEMPOTENCY) - 1);
    c->idempotency_of = c->call.model + 1;
  }
  return c->idempotency;
}

static int add_line(struct ofox_lcall *c, const char *line) {
  return ofox_buf_add(&c->lines, &line, sizeof(line));
}

static int add_lines(struct ofox_lcall *c, const char *idempotency) {
  const char *authorization =
      c->authorization.n > 0 ? c->authorization.p : c->template->authorization;
  size_t at;
  int rc = 0;
  ofox_buf_clear(&c->lines);
  for (at = 0; rc == 0 && at < c->own.n; at += strlen(c->own.p + at) + 1)
    rc = add_line(c, c->own.p + at);
  if (rc == 0 && authorization != NULL)
    rc = add_line(c, authorization);
  if (rc == 0 && idempotency != NULL)
    rc = add_line(c, idempotency);
  return rc != 0 ? rc : add_line(c, NULL);
}

/* Of the next attempt's model; NULL: there is one body for all. */
static const struct ofox_body_end *end_of(const struct ofox_lcall *c) {
  int model = c->call.model;
  return c->ends == NULL ? NULL : &c->ends[model < c->call.models ? model : 0];
}

static struct ofox_span body_of(const struct ofox_lcall *c) {
  const struct ofox_body_end *end = end_of(c);
  struct ofox_span s = {"", 0};
  if (!c->has_body)
    return OFOX_NOSPAN;
  if (c->bodies.n == 0)
    return s;
  s = ofox_buf_span(&c->bodies);
  if (end != NULL) {
    size_t from = end > c->ends ? end[-1].at : 0;
    s.p += from;
    s.n = end->at - from;
  }
  return s;
}

/* What the account is asked for. */
static void size_up(struct ofox_lcall *c) {
  uint64_t text = c->form != NULL ? c->form->text : body_of(c).n;
  c->call.tokens = (float)text / BYTES_OF_TOKEN;
  if (end_of(c) != NULL)
    c->call.lane = end_of(c)->model;
}

static int copy_ends(struct ofox_lcall *c, const struct ofox_lcall *from) {
  size_t n = (size_t)from->call.models * sizeof(*from->ends);
  if (from->ends == NULL)
    return 0;
  c->ends = malloc(n);
  if (c->ends == NULL)
    return OFOX_EMEM;
  memcpy(c->ends, from->ends, n);
  return 0;
}

int ofox_attempt_copy(struct ofox_lcall *c, const struct ofox_lcall *from) {
  int rc = ofox_buf_addspan(&c->bodies, ofox_buf_span(&from->bodies));
  if (rc == 0)
    rc = copy_ends(c, from);
  c->has_body = from->has_body;
  c->call.lane = from->call.lane;
  memcpy(c->idempotency, from->idempotency, sizeof(c->idempotency));
  c->idempotency_of = from->idempotency_of;
  size_up(c);
  return rc;
}

/* call:sends() -> body of the next attempt, or nil */
static int call_sends(lua_State *L) {
  struct ofox_span body = body_of(check(L));
  if (body.p == NULL)
    return 0;
  ofox_pushspan(L, body);
  return 1;
}

/* What the next attempt sends. */
static void choose(struct ofox_lcall *c) {
  uint64_t n;
  c->body = body_of(c);
  n = c->form != NULL ? c->form->size : c->body.n;
  size_up(c);
  c->tally.sends = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* call:prepare([now]) -> boolean: an attempt is due, and its request is ready;
** the call ends if it cannot be, since a file is not as it was */
static int call_prepare(lua_State *L) {
  struct ofox_lcall *c = check(L);
  int due = c->call.state == OFOX_READY && ofox_lform_check(L, 2, c);
  if (due) {
    begin_own(c);
    ofox_checkmemory(L, add_lines(c, idempotency_line(L, c)));
    choose(c);
  }
  lua_pushboolean(L, due);
  return 1;
}

/* Pushes a list of the lines. [-0, +1, e] */
static void push_lines(lua_State *L, const struct ofox_lcall *c) {
  const char *const *shared = c->template->request.headers;
  const char *const *own = (const char *const *)(const void *)c->lines.p;
  int n = 0;
  lua_newtable(L);
  for (; *shared != NULL; shared++) {
    lua_pushstring(L, *shared);
    lua_rawseti(L, -2, ++n);
  }
  for (; *own != NULL; own++) {
    lua_pushstring(L, *own);
    lua_rawseti(L, -2, ++n);
  }
}

/* call:attempt() -> {method, url, lines, body} of the prepared attempt, for
** transports other than the engine */
static int call_attempt(lua_State *L) {
  struct ofox_lcall *c = check(L);
  luaL_argcheck(L, c->lines.n > 0, 1, "no attempt was prepared");
  lua_createtable(L, 0, 4);
  lua_pushstring(L, c->template->request.method);
  lua_setfield(L, -2, "method");
  lua_pushstring(L, c->template->request.url);
  lua_setfield(L, -2, "url");
  push_lines(L, c);
  lua_setfield(L, -2, "lines");
  if (c->body.p != NULL) {
    ofox_pushspan(L, c->body);
    lua_setfield(L, -2, "body");
  }
  return 1;
}

const luaL_Reg ofox_attempt_functions[] = {
    {"call", call_new},
    {NULL, NULL},
};

const luaL_Reg ofox_attempt_methods[] = {
    {"attempt", call_attempt}, {"authorize", call_authorize},
    {"line", call_line},       {"prepare", call_prepare},
    {"sends", call_sends},     {NULL, NULL},
};
