/*
** ofox.core: the events of a call that streams, as Lua takes them. Whenever
** Lua allocates it may run finalizers, which may close the stream, or read on:
** what is pushed stands in memory that is ours alone.
*/
#include "lua/levents.h"

#include <math.h>
#include <string.h>

#include "call/call.h"
#include "lua/lofox.h"

#define SMALL 4096 /* bytes of an event for which the C stack has room */

static struct ofox_call *check(lua_State *L) {
  return ofox_self(L, OFOX_CALL_T);
}

/* Copies name and JSON of the next event to 'small', or to memory that is
** pushed, and takes the event, which is 'ev' then. The copy, or NULL: there is
** none. [-0, +?, m] */
static char *take(lua_State *L, struct ofox_call *c, char *small,
                  struct ofox_event *ev) {
  char *copy = small;
  size_t n, room = SMALL;
  while (ofox_event_queue_peek(&c->response.events, ev)) {
    n = ev->name + ev->data;
    if (n > room) {
      room = n;
      copy = ofox_newuserdata(L, room);
      continue;
    }
    ofox_event_copy(ev, copy);
    ofox_call_next(c, ev);
    if (ev->data > 0)
      return copy;
  }
  return NULL;
}

/* call:event() -> JSON of the next event, whether it is a whole answer, and
** the name it came with ("": none); or nil */
static int call_event(lua_State *L) {
  char small[SMALL];
  struct ofox_event ev;
  char *copy = take(L, check(L), small, &ev);
  if (copy == NULL)
    return 0;
  lua_pushlstring(L, copy + ev.name, ev.data);
  lua_pushboolean(L, ev.whole);
  lua_pushlstring(L, copy, ev.name);
  return 3;
}

/* See call:texts(). */
static int next_text(lua_State *L) {
  struct ofox_call *c = lua_touserdata(L, lua_upvalueindex(1));
  char small[SMALL], *copy = small;
  struct ofox_event ev;
  size_t n, room = SMALL;
  int whole;
  while (ofox_event_queue_peek(&c->response.events, &ev)) {
    whole = ev.whole && ev.text.n == 0;
    n = whole ? ev.data : ev.text.n;
    if (n > room) {
      room = n;
      copy = ofox_newuserdata(L, room);
      continue;
    }
    if (whole)
      ofox_event_copy(&ev, copy);
    else if (n > 0)
      memcpy(copy, ev.text.p, n);
    ofox_call_next(c, &ev);
    if (n == 0)
      continue;
    if (whole)
      lua_pushnil(L);
    lua_pushlstring(L, copy, n);
    return whole ? 2 : 1;
  }
  return 0;
}

/* call:texts() -> a function that gives the text of the next event that has
** any; or nil, and the JSON of a whole answer if it came to one in which no
** text was seen. Each piece of a stream is one call of it: it has no call to
** check. */
static int call_texts(lua_State *L) {
  check(L);
  lua_settop(L, 1);
  lua_pushcclosure(L, next_text, 1);
  return 1;
}

/* call:pass([max]) -> how many events were taken that no one wants to see, of
** as many as there are, or 'max' */
static int call_pass(lua_State *L) {
  struct ofox_call *c = check(L);
  lua_Number n = 0, max = luaL_optnumber(L, 2, HUGE_VAL);
  struct ofox_event ev;
  while (n < max && ofox_event_queue_peek(&c->response.events, &ev)) {
    ofox_call_next(c, &ev);
    n += ev.data > 0;
  }
  lua_pushnumber(L, n);
  return 1;
}

/*
** call:said() -> how many events have come, their text as one, and a list of
** those that said more than that: {json, from, to, name}, where its own text
** stands, and the name it came with ("": none)
*/
static int call_said(lua_State *L) {
  const struct ofox_event_queue *s = &check(L)->response.events;
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
  lua_pushlstring(L, said.prose.text.p, said.prose.text.n);
  lua_newtable(L);
  for (i = 1; ofox_transcript_next(&said, &pos, &e); i++) {
    lua_createtable(L, 4, 0);
    lua_pushlstring(L, e.data.p, e.data.n);
    lua_rawseti(L, -2, 1);
    lua_pushinteger(L, (lua_Integer)e.from);
    lua_rawseti(L, -2, 2);
    lua_pushinteger(L, (lua_Integer)e.to);
    lua_rawseti(L, -2, 3);
    lua_pushlstring(L, e.name.p, e.name.n);
    lua_rawseti(L, -2, 4);
    lua_rawseti(L, -2, i);
  }
  return 3;
}

const luaL_Reg ofox_event_methods[] = {
    {"event", call_event}, {"texts", call_texts}, {"pass", call_pass},
    {"said", call_said},   {NULL, NULL},
};
