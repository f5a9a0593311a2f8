/*
** ofox.core: a call and the counters of its client.
*/
#include "lua/ltally.h"

#include <math.h>

#include "call/used.h"
#include "lua/lofox.h"
#include "wire/dialects/list.h"

/* The row of the id at 'i', if it is one. [-0, +0, -] */
static struct ofox_stats_model *row_of(lua_State *L, int i,
                                       struct ofox_stats *s) {
  struct ofox_span name;
  if (lua_type(L, i) != LUA_TSTRING)
    return NULL;
  name.p = lua_tolstring(L, i, &name.n);
  return ofox_stats_model(s, name);
}

void ofox_tally_join(lua_State *L, struct ofox_call *c, struct ofox_tally *t,
                     struct ofox_lstats *s, int models) {
  int i;
  if (s == NULL || s->gone)
    return;
  t->stats = &s->stats;
  c->tally = t;
  if (!lua_istable(L, models)) {
    if (c->models == 1)
      t->rows.one = row_of(L, models, &s->stats);
    return;
  }
  ofox_checkmemory(L, ofox_tally_room(c));
  for (i = 0; i < c->models; i++) {
    lua_rawgeti(L, models, i + 1);
    if (c->models > 1)
      t->rows.each[i] = row_of(L, -1, &s->stats);
    else
      t->rows.one = row_of(L, -1, &s->stats);
    lua_pop(L, 1);
  }
}

/* The number of a word of the table on top. [-0, +0, e] */
static double number_of(lua_State *L, enum ofox_usage_word w) {
  int top = lua_gettop(L);
  double n = NAN;
  lua_pushstring(L, ofox_usage_names[w].name);
  lua_rawget(L, top);
  if (ofox_usage_names[w].part != NULL && lua_istable(L, -1)) {
    lua_pushstring(L, ofox_usage_names[w].part);
    lua_rawget(L, -2);
  }
  if (lua_type(L, -1) == LUA_TNUMBER)
    n = lua_tonumber(L, -1);
  lua_settop(L, top);
  return n;
}

static struct ofox_call *check(lua_State *L) {
  return ofox_self(L, OFOX_CALL_T);
}

/* The usage of the answer at 2, as the first dialect calls it that knows one;
** or nil. [-0, +1, e] */
static void push_usage(lua_State *L) {
  const struct ofox_dialect *const *d;
  lua_pushnil(L);
  for (d = ofox_dialects; *d != NULL && lua_isnil(L, 3); d++) {
    lua_pushstring(L, (*d)->usage);
    lua_rawget(L, 2);
    lua_replace(L, 3);
  }
}

/* call:used(answer): what a decoder of the program made of it; the core's own
** notes what it used while it decodes */
static int call_used(lua_State *L) {
  struct ofox_call *c = check(L);
  struct ofox_usage_said said;
  struct ofox_usage used;
  int w;
  lua_settop(L, 2);
  if (!lua_istable(L, 2))
    return 0;
  push_usage(L);
  if (!lua_istable(L, 3))
    return 0;
  for (w = 0; w < OFOX_USAGE_NWORDS; w++)
    ofox_usage_say(&said, (enum ofox_usage_word)w,
                   number_of(L, (enum ofox_usage_word)w));
  if (ofox_usage_sum(&said, &used))
    ofox_used(c, &used);
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
