/*
** ofox.core: what a transport has told a call, for ofox.mock.record.
*/
#include "lua/lcall.h"
#include "lua/lerrors.h"
#include "lua/lofox.h"

static const char *const KINDS[] = {"begin", "connected", "head", "body",
                                    "end"};

static struct ofox_lcall *check(lua_State *L) {
  return ofox_self(L, OFOX_CALL_T);
}

/* call:record(): from now on, what transports tell it is kept for taped() */
static int call_record(lua_State *L) {
  ofox_checkmemory(L, ofox_call_record(&check(L)->call));
  return 0;
}

/* Pushes {kind, at, flag, text, outcome}. [-0, +1, e] */
static void push_moment(lua_State *L, const struct ofox_moment *m) {
  lua_createtable(L, 5, 0);
  lua_pushstring(L, KINDS[m->kind]);
  lua_rawseti(L, -2, 1);
  lua_pushnumber(L, m->at);
  lua_rawseti(L, -2, 2);
  lua_pushboolean(L, m->flag);
  lua_rawseti(L, -2, 3);
  ofox_pushspan(L, m->text);
  lua_rawseti(L, -2, 4);
  if (m->kind == OFOX_MOMENT_END) {
    lua_pushstring(L, ofox_outcome_names[m->outcome]);
    lua_rawseti(L, -2, 5);
  }
}

/* call:taped() -> list of what was kept since the last time; what is secret in
** it is still there */
static int call_taped(lua_State *L) {
  struct ofox_tape *t = check(L)->call.tape;
  struct ofox_moment m;
  size_t pos = 0;
  int n = 0;
  ofox_checkmemory(L, t != NULL && t->no_memory);
  lua_newtable(L);
  while (t != NULL && ofox_tape_next(t, &pos, &m)) {
    push_moment(L, &m);
    lua_rawseti(L, -2, ++n);
  }
  if (t != NULL)
    ofox_tape_clear(t);
  return 1;
}

/* call:hide(bytes [, keeps]) -> the same, without what is secret; 'keeps': and
** every other byte keeps its position */
static int call_hide(lua_State *L) {
  struct ofox_lcall *c = check(L);
  struct ofox_buf *b = &c->scratch;
  ofox_buf_clear(b);
  ofox_checkmemory(L, ofox_buf_addspan(b, ofox_checkspan(L, 2)));
  ofox_checkmemory(L, lua_toboolean(L, 3)
                          ? ofox_redact_cover(&c->call.secrets, b)
                          : ofox_redact_apply(&c->call.secrets, b));
  ofox_pushspan(L, ofox_buf_span(b));
  return 1;
}

const luaL_Reg ofox_tape_methods[] = {
    {"record", call_record},
    {"taped", call_taped},
    {"hide", call_hide},
    {NULL, NULL},
};
