/*
** ofox.core: a call and the counters of its client.
*/
#include "lua/ltally.h"

#include <math.h>

#include "lua/lofox.h"

/* Stores the rows of the ids in the list. [-0, +0, e] */
static void join_models(lua_State *L, struct ofox_lcall *c, int models) {
  struct ofox_stats *s = &c->template->stats->stats;
  struct ofox_stats_model *row;
  int i;
  for (i = 1; i <= c->call.models; i++) {
    lua_rawgeti(L, models, i);
    row = ofox_stats_model(s, lua_type(L, -1) == LUA_TSTRING
                                  ? ofox_checkspan(L, -1)
                                  : ofox_span_of(""));
    lua_pop(L, 1);
    ofox_checkmemory(L, ofox_buf_add(&c->rows, &row, sizeof(row)));
  }
  c->tally.rows = (struct ofox_stats_model *const *)(const void *)c->rows.p;
}

void ofox_tally_join(lua_State *L, struct ofox_lcall *c, int models) {
  struct ofox_lstats *s = c->template->stats;
  if (s == NULL || s->gone)
    return;
  if (lua_type(L, models) == LUA_TSTRING) {
    c->row = ofox_stats_model(&s->stats, ofox_checkspan(L, models));
    c->tally.rows = &c->row;
  }
  else if (lua_istable(L, models)) {
    join_models(L, c, models);
  }
  c->tally.stats = &s->stats;
  c->call.tally = &c->tally;
}

/* Pushes a member of the table at 'i'. [-0, +1, m] */
static void push_member(lua_State *L, int i, const char *name) {
  lua_pushstring(L, name);
  lua_rawget(L, i);
}

/* Finds words in the table on top. [-0, +0, m] */
static double word_of(void *L_, enum ofox_usage_word w) {
  lua_State *L = L_;
  const struct ofox_usage_name *name = &ofox_usage_names[w];
  int top = lua_gettop(L);
  double v = NAN;
  push_member(L, top, name->name);
  if (name->part != NULL && lua_istable(L, -1))
    push_member(L, top + 1, name->part);
  else if (name->part != NULL)
    lua_pushnil(L);
  if (lua_type(L, -1) == LUA_TNUMBER)
    v = lua_tonumber(L, -1);
  lua_settop(L, top);
  return v >= 0 ? v : NAN;
}

void ofox_tally_answer(lua_State *L, struct ofox_call *c) {
  struct ofox_usage u;
  int top = lua_gettop(L);
  if (c->tally == NULL || !lua_istable(L, top))
    return;
  push_member(L, top, "usage");
  if (lua_isnil(L, -1))
    push_member(L, top, "usageMetadata");
  if (lua_istable(L, -1) && ofox_usage_find(word_of, L, &u))
    ofox_tally_used(c, &u);
  lua_settop(L, top);
}

static struct ofox_call *check(lua_State *L) {
  struct ofox_lcall *c = ofox_self(L, OFOX_CALL_T);
  return &c->call;
}

/* call:used(answer): what a decoder of the program made of its answer */
static int call_used(lua_State *L) {
  struct ofox_call *c = check(L);
  lua_settop(L, 2);
  ofox_tally_answer(L, c);
  return 0;
}

/* call:leave(now): the program has read as much of the stream as it wants */
static int call_leave(lua_State *L) {
  ofox_tally_leave(check(L), luaL_checknumber(L, 2));
  return 0;
}

/* call:spoil(type): the answer is of no use, which is an error of that type */
static int call_spoil(lua_State *L) {
  struct ofox_call *c = check(L);
  struct ofox_span type = ofox_checkspan(L, 2);
  int i = 0;
  while (i < OFOX_NCLASSES && !ofox_span_eq(type, ofox_classes[i].type))
    i++;
  luaL_argcheck(L, i < OFOX_NCLASSES, 2, "no type of errors");
  ofox_tally_spoil(c, (enum ofox_class)i);
  return 0;
}

const luaL_Reg ofox_tally_methods[] = {
    {"leave", call_leave},
    {"spoil", call_spoil},
    {"used", call_used},
    {NULL, NULL},
};
