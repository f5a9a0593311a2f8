/*
** ofox.core: the events of a call that streams, as Lua takes them.
*/
#include "levents.h"

#include "call.h"

static struct ofox_call *check(lua_State *L) {
  return ofox_self(L, OFOX_CALL_T);
}

/* call:event() -> JSON of the next event [, true: a whole answer], or nil */
static int call_event(lua_State *L) {
  struct ofox_event ev;
  if (!ofox_call_next(check(L), &ev))
    return 0;
  lua_pushlstring(L, ev.data.p, ev.data.n);
  lua_pushboolean(L, ev.whole);
  return 2;
}

/* call:text() -> text of the next event that has any; or nil, and the JSON of
** a whole answer if it came to one */
static int call_text(lua_State *L) {
  struct ofox_call *c = check(L);
  struct ofox_event ev;
  while (ofox_call_next(c, &ev)) {
    if (ev.text.n > 0) {
      lua_pushlstring(L, ev.text.p, ev.text.n);
      return 1;
    }
    if (ev.whole) {
      lua_pushnil(L);
      lua_pushlstring(L, ev.data.p, ev.data.n);
      return 2;
    }
  }
  return 0;
}

/*
** call:said() -> how many events have come, their text as one, and a list of
** those that said more than that: {json, from, to}, where its own text stands
*/
static int call_said(lua_State *L) {
  const struct ofox_stream *s = &check(L)->reply.stream;
  struct ofox_passage e;
  size_t pos = 0;
  int i;
  lua_pushinteger(L, (lua_Integer)s->chunks);
  lua_pushlstring(L, s->said.text.p, s->said.text.n);
  lua_newtable(L);
  for (i = 1; ofox_transcript_next(&s->said, &pos, &e); i++) {
    lua_createtable(L, 3, 0);
    lua_pushlstring(L, e.data.p, e.data.n);
    lua_rawseti(L, -2, 1);
    lua_pushinteger(L, (lua_Integer)e.from);
    lua_rawseti(L, -2, 2);
    lua_pushinteger(L, (lua_Integer)e.to);
    lua_rawseti(L, -2, 3);
    lua_rawseti(L, -2, i);
  }
  return 3;
}

const luaL_Reg ofox_event_methods[] = {
    {"event", call_event},
    {"text", call_text},
    {"said", call_said},
    {NULL, NULL},
};
