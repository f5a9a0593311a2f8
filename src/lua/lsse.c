/*
** ofox.core: the parser of event streams, for programs that fetch the bytes
** themselves.
*/
#include "lua/lofox.h"

#include <string.h>

#include "lua/lopen.h"
#include "wire/sse.h"

#define SSE_T "ofox.sse"
#define SMALL 4096 /* bytes of an event for which the C stack has room */

/* The parser reads 'now'; bytes fed meanwhile wait in 'later'. */
struct lsse {
  struct ofox_sse sse;
  struct ofox_buf now, later;
  struct ofox_sse_event event;
  int has_event; /* it has not been taken yet */
  int finished;
};

/* The parser before the colon of 'method'; else raises. [-0, +0, v] */
static struct lsse *check(lua_State *L, const char *method) {
  void *p = lua_touserdata(L, 1);
  int ours = 0;
  if (p != NULL && lua_getmetatable(L, 1)) {
    luaL_getmetatable(L, SSE_T);
    ours = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
  }
  if (!ours)
    luaL_error(L,
               "parser:%s: expected a parser before the dot; call it with a "
               "colon, parser:%s(\xE2\x80\xA6)",
               method, method);
  return p;
}

/* core.sse([max_event_bytes]) -> parser */
static int sse_new(lua_State *L) {
  lua_Number cap = luaL_optnumber(L, 1, OFOX_MAX_EVENT);
  struct lsse *s;
  luaL_argcheck(L, cap >= 1 && cap <= 9007199254740992.0, 1,
                "expected a number of bytes from 1 on");
  s = ofox_newobject(L, SSE_T, sizeof(*s));
  ofox_sse_init(&s->sse, (size_t)cap);
  ofox_buf_init(&s->now, (size_t)-1);
  ofox_buf_init(&s->later, (size_t)-1);
  return 1;
}

static int sse_gc(lua_State *L) {
  struct lsse *s = luaL_checkudata(L, 1, SSE_T);
  s->has_event = 0;
  ofox_sse_free(&s->sse);
  ofox_buf_free(&s->now);
  ofox_buf_free(&s->later);
  return 0;
}

/* parser:feed(bytes) -> parser */
static int sse_feed(lua_State *L) {
  struct lsse *s = check(L, "feed");
  struct ofox_span bytes;
  if (lua_type(L, 2) != LUA_TSTRING)
    return luaL_error(L, "parser:feed: bytes: expected a string, got %s",
                      ofox_describe(L, 2));
  if (s->finished)
    return luaL_error(L, "parser:feed: the parser was finished");
  bytes.p = lua_tolstring(L, 2, &bytes.n);
  if (s->sse.error == 0)
    ofox_checkmemory(L, ofox_buf_addspan(&s->later, bytes));
  lua_settop(L, 1);
  return 1;
}

/* parser:finish() -> parser */
static int sse_finish(lua_State *L) {
  check(L, "finish")->finished = 1;
  lua_settop(L, 1);
  return 1;
}

/* As ofox_sse_next, over all bytes fed. */
static int next(struct lsse *s, struct ofox_sse_event *ev) {
  struct ofox_buf read;
  int rc = ofox_sse_next(&s->sse, ev);
  while (rc == 0 && s->later.n > 0) {
    read = s->now;
    s->now = s->later;
    s->later = read;
    ofox_buf_clear(&s->later);
    ofox_sse_feed(&s->sse, s->now.p, s->now.n);
    rc = ofox_sse_next(&s->sse, ev);
  }
  if (rc == 0 && s->finished) {
    ofox_sse_finish(&s->sse);
    rc = ofox_sse_next(&s->sse, ev);
  }
  if (rc == 0)
    ofox_buf_free(&s->now);
  return rc;
}

/* Sets a field from the copy of an event; returns its end. [-0, +0, e] */
static char *set(lua_State *L, const char *name, char *p, size_t n) {
  lua_pushlstring(L, p, n);
  lua_setfield(L, -2, name);
  return p + n;
}

static char *copy(char *to, struct ofox_span s) {
  if (s.n > 0)
    memcpy(to, s.p, s.n);
  return to + s.n;
}

/* Pushes the event as a table. Any allocation in Lua may run finalizers, which
** may use the parser: it is copied first. [-0, +?, e] */
static int push_event(lua_State *L, struct lsse *s, char *small) {
  struct ofox_sse_event before = s->event;
  struct ofox_span data = before.data, id = before.id;
  struct ofox_span type =
      before.type.n > 0 ? before.type : ofox_span_of("message");
  size_t n = data.n + type.n + id.n;
  char *p = n <= SMALL ? small : ofox_newuserdata(L, n);
  if (!s->has_event || memcmp(&s->event, &before, sizeof(before)) != 0)
    return 0;
  copy(copy(copy(p, data), type), id);
  s->has_event = 0;
  lua_createtable(L, 0, 3);
  p = set(L, "data", p, data.n);
  p = set(L, "event", p, type.n);
  if (id.n > 0)
    set(L, "id", p, id.n);
  return 1;
}

/* parser:next() -> {data, event, id}; nil: feed more; nil, message: broken */
static int sse_next(lua_State *L) {
  struct lsse *s = check(L, "next");
  char small[SMALL];
  int rc;
  do {
    rc = s->has_event ? 1 : next(s, &s->event);
    s->has_event = rc == 1;
  } while (rc == 1 && !push_event(L, s, small));
  if (rc == 0)
    return 0;
  ofox_checkmemory(L, rc == OFOX_EMEM);
  if (rc < 0) {
    lua_pushnil(L);
    lua_pushfstring(L, "%s, at byte ", s->sse.reason);
    lua_pushinteger(L, (lua_Integer)s->sse.position + 1);
    lua_concat(L, 2);
    return 2;
  }
  return 1;
}

static const luaL_Reg METHODS[] = {
    {"feed", sse_feed},
    {"finish", sse_finish},
    {"next", sse_next},
    {NULL, NULL},
};

static const luaL_Reg FUNCTIONS[] = {
    {"sse", sse_new},
    {NULL, NULL},
};

void ofox_open_sse(lua_State *L) {
  luaL_newmetatable(L, SSE_T);
  lua_pushcfunction(L, sse_gc);
  lua_setfield(L, -2, "__gc");
  lua_newtable(L);
  ofox_setfuncs(L, METHODS);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  ofox_setfuncs(L, FUNCTIONS);
}
