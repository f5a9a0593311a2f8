/*
** ofox.core: a call and the counters of its client.
*/
#include "lua/ltally.h"

#include <math.h>

#include "lua/lofox.h"
#include "wire/dialects/list.h"

/* The row of the id on top, which is popped. [-1, +0, e] */
static struct ofox_stats_model *row_of(lua_State *L, struct ofox_stats *s) {
  struct ofox_stats_model *row = NULL;
  if (lua_type(L, -1) == LUA_TSTRING)
    row = ofox_stats_model(s, ofox_checkspan(L, -1));
  lua_pop(L, 1);
  return row;
}

void ofox_tally_join(lua_State *L, struct ofox_call *c, struct ofox_tally *t,
                     struct ofox_lstats *s, int models) {
  int i;
  if (s == NULL || s->gone)
    return;
  t->stats = &s->stats;
  c->tally = t;
  if (!lua_istable(L, models)) {
    lua_pushvalue(L, models);
    if (c->models == 1)
      t->rows.one = row_of(L, &s->stats);
    return;
  }
  ofox_checkmemory(L, ofox_tally_room(c));
  for (i = 0; i < c->models; i++) {
    lua_rawgeti(L, models, i + 1);
    if (c->models > 1)
      t->rows.each[i] = row_of(L, &s->stats);
    else
      t->rows.one = row_of(L, &s->stats);
  }
}

/* The upvalues behind the first: names of members, since to look a string up
** by its bytes costs more than all the rest. For each word its name, and what
** is meant there, or nil. */
#define USAGES 4 /* names of usages that dialects may have; else nil */
enum { USAGE = 2, NAME = USAGE + USAGES, PART };

/* Pushes the names that dialects have for a usage, each once. [-0, +USAGES, e]
 */
static void push_usages(lua_State *L) {
  const struct ofox_dialect *const *d;
  int i, n = 0, top = lua_gettop(L);
  for (d = ofox_dialects; *d != NULL && n < USAGES; d++) {
    lua_pushstring(L, (*d)->usage);
    for (i = 1; i <= n && !lua_rawequal(L, top + i, -1); i++)
      continue;
    if (i > n)
      n++;
    else
      lua_pop(L, 1);
  }
  lua_settop(L, top + USAGES);
}

void ofox_tally_setmethod(lua_State *L, int meta, const char *name,
                          lua_CFunction fn) {
  int i;
  luaL_checkstack(L, PART + 2 * OFOX_USAGE_NWORDS, "upvalues");
  lua_pushvalue(L, meta);
  push_usages(L);
  for (i = 0; i < OFOX_USAGE_NWORDS; i++) {
    lua_pushstring(L, ofox_usage_names[i].name);
    lua_pushstring(L, ofox_usage_names[i].part);
  }
  lua_pushcclosure(L, fn, NAME - 1 + 2 * OFOX_USAGE_NWORDS);
  lua_setfield(L, -2, name);
}

/* Finds words in the table on top. [-0, +0, -] */
static double word_of(void *L_, enum ofox_usage_word w) {
  lua_State *L = L_;
  double v = NAN;
  int n = 1;
  lua_pushvalue(L, lua_upvalueindex(NAME + 2 * (int)w));
  lua_rawget(L, -2);
  if (ofox_usage_names[w].part != NULL) {
    if (!lua_istable(L, -1)) {
      lua_pop(L, 1);
      return NAN;
    }
    n = 2;
    lua_pushvalue(L, lua_upvalueindex(PART + 2 * (int)w));
    lua_rawget(L, -2);
  }
  if (lua_type(L, -1) == LUA_TNUMBER)
    v = lua_tonumber(L, -1);
  lua_pop(L, n);
  return v >= 0 ? v : NAN;
}

void ofox_tally_answer(lua_State *L, struct ofox_call *c) {
  struct ofox_usage u;
  int top = lua_gettop(L), i;
  if (c->tally == NULL || !lua_istable(L, top))
    return;
  lua_pushnil(L);
  for (i = 0; i < USAGES && lua_isnil(L, -1); i++) {
    lua_settop(L, top);
    lua_pushvalue(L, lua_upvalueindex(USAGE + i));
    if (!lua_isnil(L, -1))
      lua_rawget(L, top);
  }
  if (lua_istable(L, -1) && ofox_usage_find(word_of, L, &u))
    ofox_tally_used(c, &u);
  lua_settop(L, top);
}

static struct ofox_call *check(lua_State *L) {
  return ofox_self(L, OFOX_CALL_T);
}

int ofox_tally_call_used(lua_State *L) {
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
    {NULL, NULL},
};
