/*
** ofox.core: the events of a call that streams, as Lua takes them. Whenever
** Lua allocates it may run finalizers, which may close the stream, or read on:
** what is pushed stands in memory that is ours alone.
*/
#include "lua/levents.h"

#include <string.h>

#include "call/call.h"
#include "lua/lofox.h"

#define SMALL 4096 /* bytes of an event for which the C stack has room */

static struct ofox_call *check(lua_State *L) {
  return ofox_self(L, OFOX_CALL_T);
}

/* What of an event is wanted: its text, or its name and JSON. */
static struct ofox_span wanted(const struct ofox_event *ev, int text) {
  struct ofox_span s = ev->name; /* the JSON follows it */
  if (text && (!ev->whole || ev->text.n > 0))
    return ev->text;
  s.n += ev->data.n;
  return s;
}

/* Copies what is wanted of the next event that has it to 'small', or to memory
** that is pushed, and takes the event, which is 'ev' then. The copy, or NULL:
** there is none. [-0, +?, e] */
static char *take(lua_State *L, int text, char *small, struct ofox_event *ev,
                  size_t *n) {
  struct ofox_call *c = check(L);
  struct ofox_span s;
  char *copy = small;
  size_t room = SMALL;
  while (ofox_event_queue_peek(&c->response.events, ev)) {
    s = wanted(ev, text);
    if (s.n > room) {
      room = s.n;
      copy = ofox_newuserdata(L, room);
      continue;
    }
    if (s.n > 0)
      memcpy(copy, s.p, s.n);
    ofox_call_next(c);
    *n = s.n;
    if (text ? s.n > 0 : ev->data.n > 0)
      return copy;
  }
  return NULL;
}

/* call:event() -> JSON of the next event, whether it is a whole answer, and
** the name it came with ("": none); or nil */
static int call_event(lua_State *L) {
  char small[SMALL];
  struct ofox_event ev;
  size_t n;
  char *copy = take(L, 0, small, &ev, &n);
  if (copy == NULL)
    return 0;
  lua_pushlstring(L, copy + ev.name.n, ev.data.n);
  lua_pushboolean(L, ev.whole);
  lua_pushlstring(L, copy, ev.name.n);
  return 3;
}

/* call:text() -> text of the next event that has any; or nil, and the JSON of
** a whole answer if it came to one in which no text was seen */
static int call_text(lua_State *L) {
  char small[SMALL];
  struct ofox_event ev;
  size_t n;
  char *copy = take(L, 1, small, &ev, &n);
  if (copy == NULL)
    return 0;
  if (ev.text.n == 0)
    lua_pushnil(L);
  lua_pushlstring(L, copy, n);
  return ev.text.n == 0 ? 2 : 1;
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
    {"event", call_event},
    {"text", call_text},
    {"said", call_said},
    {NULL, NULL},
};
