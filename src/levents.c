/*
** ofox.core: the events of a call that streams, as Lua takes them. Whenever
** Lua allocates it may run finalizers, which may close the stream, or read on:
** what is pushed stands in memory that is ours alone.
*/
#include "levents.h"

#include <string.h>

#include "call.h"

#define SMALL 4096 /* bytes of an event for which the C stack has room */

static struct ofox_call *check(lua_State *L) {
  return ofox_self(L, OFOX_CALL_T);
}

/* Pushes the JSON of the next event, or with 'text' the text of the next that
** has any or is a whole answer, and takes it. 1, or 0: there is none.
** [-0, +(0|?), e] */
static int take(lua_State *L, int text, int *whole) {
  struct ofox_call *c = check(L);
  struct ofox_event ev;
  struct ofox_span s;
  char small[SMALL], *copy = small;
  size_t room = SMALL;
  while (ofox_stream_peek(&c->reply.stream, &ev)) {
    s = text && !ev.whole ? ev.text : ev.data;
    if (s.n > room) {
      room = s.n;
      copy = ofox_newuserdata(L, room);
      continue;
    }
    if (s.n > 0)
      memcpy(copy, s.p, s.n);
    ofox_call_next(c);
    if (text && s.n == 0)
      continue;
    *whole = ev.whole;
    lua_pushlstring(L, copy, s.n);
    return 1;
  }
  return 0;
}

/* call:event() -> JSON of the next event [, true: a whole answer], or nil */
static int call_event(lua_State *L) {
  int whole;
  if (!take(L, 0, &whole))
    return 0;
  lua_pushboolean(L, whole);
  return 2;
}

/* call:text() -> text of the next event that has any; or nil, and the JSON of
** a whole answer if it came to one */
static int call_text(lua_State *L) {
  int whole;
  if (!take(L, 1, &whole))
    return 0;
  if (!whole)
    return 1;
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

/*
** call:said() -> how many events have come, their text as one, and a list of
** those that said more than that: {json, from, to}, where its own text stands
*/
static int call_said(lua_State *L) {
  const struct ofox_stream *s = &check(L)->reply.stream;
  struct ofox_transcript said;
  struct ofox_passage e;
  size_t n, pos = 0;
  char *room;
  int i;
  do {
    lua_settop(L, 1);
    n = ofox_transcript_size(&s->said);
    room = ofox_newuserdata(L, n);
  } while (ofox_transcript_size(&s->said) != n);
  ofox_transcript_copy(&s->said, room, &said);
  lua_pushinteger(L, (lua_Integer)s->chunks);
  lua_pushlstring(L, said.text.p, said.text.n);
  lua_newtable(L);
  for (i = 1; ofox_transcript_next(&said, &pos, &e); i++) {
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
