/*
** ofox.core: the events of a streaming call, for Lua. Any allocation in Lua
** may run finalizers, which may close the stream, or read on: data that is
** pushed is copied to private memory first.
*/
#include "lua/levents.h"

#include <math.h>
#include <string.h>

#include "call/call.h"
#include "lua/ldecode.h"
#include "lua/lofox.h"
#include "lua/lplan.h"

#define SMALL 4096 /* bytes of an event for which the C stack has room */
#define WORTH 3    /* similar events before a plan is made of them */
#define FILLING 8  /* bytes by which a hole may grow when it is filled */

static struct ofox_call *check(lua_State *L) {
  return ofox_self(L, OFOX_CALL_T);
}

/* Copies name and JSON of the next event to 'small', or to memory that is
** pushed, and takes the event, which becomes 'ev'. Returns the copy, or NULL:
** there is none. [-0, +?, m] */
static char *take(lua_State *L, struct ofox_call *c, char *small,
                  struct ofox_event *ev) {
  char *copy = small;
  size_t n, room = SMALL;
  while (ofox_call_peek(c, ev)) {
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
** its event name ("": none); or nil */
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
  while (ofox_call_peek(c, &ev)) {
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

/* call:texts() -> a function that returns the text of the next event with
** text; or nil, and the JSON of a whole answer if there was one in which no
** text was found. It is called once per piece of a stream, so it does not
** check its call. */
static int call_texts(lua_State *L) {
  check(L);
  lua_settop(L, 1);
  lua_pushcclosure(L, next_text, 1);
  return 1;
}

/*
** See call:chunks(). Its upvalues: the call, a struct course, and the plan of
** the current events, with its constants, or nil.
*/
enum { CALL = 1, COURSE, PLAN, CONSTANTS };

/* The number of similar events received. */
struct course {
  size_t like, n;
};

/* Copies the JSON of an event with its holes filled for a plan, after its
** name; returns its length. */
static size_t copy_filled(struct ofox_event ev, int second, char *to) {
  struct ofox_span fill;
  int i;
  for (i = 0; i < ev.n_holes; i++) {
    fill = ofox_plan_filling(ev.holes[i], i, second);
    ev.data += fill.n - ev.holes[i].n;
    ev.holes[i] = fill;
  }
  ofox_event_copy(&ev, to);
  return ev.data;
}

/* Pushes the table of an event of that name: 1, or 0: there is none. In some
** dialects an event may state its type only in its name. [-0, +0 or 1, e] */
static int push_chunk(lua_State *L, const struct ofox_call *c,
                      struct ofox_span name, size_t data) {
  struct ofox_span json;
  size_t pos;
  json.p = name.p + name.n;
  json.n = data;
  if (ofox_decode(L, json, 0, &pos) <= 0)
    return 0;
  if (!c->config->response.dialect->typed || name.n == 0 ||
      !lua_istable(L, -1))
    return 1;
  lua_getfield(L, -1, "type");
  if (lua_type(L, -1) != LUA_TSTRING || *lua_tostring(L, -1) == '\0') {
    lua_pushlstring(L, name.p, name.n);
    lua_setfield(L, -3, "type");
  }
  lua_pop(L, 1);
  return 1;
}

/* The room that an event needs, and whether it has a plan, or will get one. */
enum way { DECODE, DRAFT, FOLLOW };

static enum way way_of(lua_State *L, const struct ofox_event *ev, size_t *n) {
  struct course *course = lua_touserdata(L, lua_upvalueindex(COURSE));
  int i;
  *n = ev->name + ev->data;
  if (ev->like == 0 || ev->whole)
    return DECODE;
  if (ev->like != course->like) {
    course->like = ev->like;
    course->n = 0;
    lua_pushnil(L);
    lua_replace(L, lua_upvalueindex(PLAN));
    lua_pushnil(L);
    lua_replace(L, lua_upvalueindex(CONSTANTS));
  }
  if (course->n == WORTH)
    *n = 3 * (*n + OFOX_HOLES * FILLING);
  if (course->n <= WORTH)
    return course->n == WORTH ? DRAFT : DECODE;
  if (!lua_isuserdata(L, lua_upvalueindex(PLAN)))
    return DECODE;
  for (i = 0, *n = 0; i < ev->n_holes; i++)
    *n += ev->holes[i].n;
  return FOLLOW;
}

/* Makes the plan of similar events; 'first' and 'second' are the two copies
** that it needs. [-0, +0, e] */
static void draft(lua_State *L, const struct ofox_call *c, size_t like,
                  struct ofox_span first, size_t n, struct ofox_span second,
                  size_t m) {
  struct course *course = lua_touserdata(L, lua_upvalueindex(COURSE));
  int top = lua_gettop(L);
  if (push_chunk(L, c, first, n) && push_chunk(L, c, second, m))
    ofox_plan_push(L, top + 1, top + 2);
  /* another reader may have advanced meanwhile */
  if (lua_gettop(L) == top + 4 && course->like == like) {
    lua_replace(L, lua_upvalueindex(CONSTANTS));
    lua_replace(L, lua_upvalueindex(PLAN));
  }
  lua_settop(L, top);
}

static int decode(lua_State *L, struct ofox_call *c,
                  const struct ofox_event *ev, char *copy, enum way way) {
  struct ofox_span name, first, second;
  size_t n = 0, m = 0;
  name.p = copy;
  name.n = first.n = second.n = ev->name;
  ofox_event_copy(ev, copy);
  if (way == DRAFT) {
    first.p = copy + ev->name + ev->data;
    n = copy_filled(*ev, 0, copy + ev->name + ev->data);
    second.p = first.p + ev->name + n;
    m = copy_filled(*ev, 1, copy + 2 * ev->name + ev->data + n);
  }
  ofox_call_next(c, ev);
  if (!ev->whole && push_chunk(L, c, name, ev->data)) {
    if (way == DRAFT)
      draft(L, c, ev->like, first, n, second, m);
    return 1;
  }
  lua_pushnil(L);
  lua_pushlstring(L, copy + ev->name, ev->data);
  return 2;
}

/* Pushes the table of an event that has a plan. [-0, +3, e] */
static int follow(lua_State *L, struct ofox_call *c, struct ofox_event *ev,
                  char *copy, size_t n) {
  int i;
  memcpy(copy, ev->holes[0].p, n); /* they are contiguous */
  for (i = 0; i < ev->n_holes; i++) {
    ev->holes[i].p = copy;
    copy += ev->holes[i].n;
  }
  ofox_call_next(c, ev);
  lua_pushvalue(L, lua_upvalueindex(PLAN));
  lua_pushvalue(L, lua_upvalueindex(CONSTANTS));
  ofox_plan_follow(L, lua_gettop(L) - 1, lua_gettop(L), ev->holes);
  return 1;
}

static int next_chunk(lua_State *L) {
  struct ofox_call *c = lua_touserdata(L, lua_upvalueindex(CALL));
  struct course *course = lua_touserdata(L, lua_upvalueindex(COURSE));
  char small[SMALL], *copy = small;
  size_t n, room = SMALL;
  struct ofox_event ev;
  enum way way;
  while (ofox_call_peek(c, &ev)) {
    way = way_of(L, &ev, &n);
    if (n > room) {
      room = n;
      copy = ofox_newuserdata(L, room);
      continue;
    }
    course->n += ev.like != 0;
    if (way == FOLLOW)
      return follow(L, c, &ev, copy, n);
    if (ev.data > 0)
      return decode(L, c, &ev, copy, way);
    ofox_call_next(c, &ev);
  }
  return 0;
}

/* call:chunks() -> a function that returns the next event, decoded by the
** core; or nil, and the JSON of a whole answer, or of an undecodable event */
static int call_chunks(lua_State *L) {
  struct course *course;
  check(L);
  lua_settop(L, 1);
  course = ofox_newuserdata(L, sizeof(*course));
  memset(course, 0, sizeof(*course));
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushcclosure(L, next_chunk, CONSTANTS);
  return 1;
}

/* call:pass([max]) -> how many events were skipped, of all there are, or of
** 'max' */
static int call_pass(lua_State *L) {
  struct ofox_call *c = check(L);
  lua_Number max = luaL_optnumber(L, 2, HUGE_VAL);
  lua_Integer n = 0;
  struct ofox_event ev;
  while ((lua_Number)n < max && ofox_call_peek(c, &ev)) {
    ofox_call_next(c, &ev);
    n += ev.data > 0;
  }
  lua_pushinteger(L, n);
  return 1;
}

/*
** call:said() -> number of events received, their text as one string, and a
** list of those with more than text: {json, from, to, name}, the position of
** its own text, and its event name ("": none)
*/
static int call_said(lua_State *L) {
  const struct ofox_event_queue *s = check(L)->response.events;
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
    {"event", call_event}, {"texts", call_texts}, {"chunks", call_chunks},
    {"pass", call_pass},   {"said", call_said},   {NULL, NULL},
};
