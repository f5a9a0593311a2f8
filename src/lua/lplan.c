#include "lua/lplan.h"

#include <string.h>

#include "base/json_string.h"
#include "lua/ldecode.h"
#include "lua/lofox.h"

#define STEPS 128 /* of a plan */
#define DEEPEST 16
#define MOST 255 /* constants, and members of one table */

enum what {
  NEW,   /* pushes a table with room for x elements and y members */
  MARK,  /* the table has the metatable x */
  KEY,   /* pushes the constant x */
  FILL,  /* pushes the value of hole x */
  SET,   /* moves name and value to the table below them */
  FIELD, /* sets the member x to y, both constants */
  ITEM   /* moves the value to the element x */
};

struct step {
  unsigned char what;
  unsigned char x, y;
};

struct plan {
  int n;
  struct step steps[STEPS];
};

/* A plan under construction. */
struct draft {
  lua_State *L;
  int constants; /* the list of them, on the stack */
  int n_constants;
  struct plan plan;
};

#define FIRST "\"a0\"\"a1\"\"a2\"\"a3\"101102103104"
#define SECOND "\"b0\"\"b1\"\"b2\"\"b3\"201202203204"

struct ofox_span ofox_plan_filling(struct ofox_span like, int hole,
                                   int second) {
  struct ofox_span s;
  int string = *like.p == '"';
  s.p = second ? SECOND : FIRST;
  s.p += string ? 4 * hole : 4 * OFOX_PLAN_HOLES + 3 * hole;
  s.n = string ? 4 : 3;
  return s;
}

/* Which hole has the value on top? The first one counts. */
static int hole_of(lua_State *L) {
  if (lua_type(L, -1) == LUA_TSTRING)
    return lua_tostring(L, -1)[1] - '0';
  return (int)lua_tonumber(L, -1) - 101;
}

static int add(struct draft *d, enum what what, int x, int y) {
  struct step *s = &d->plan.steps[d->plan.n];
  if (d->plan.n == STEPS || x > MOST || y > MOST)
    return 0;
  d->plan.n++;
  s->what = (unsigned char)what;
  s->x = (unsigned char)x;
  s->y = (unsigned char)y;
  return 1;
}

/* The number of the constant on top. [-1, +0, m] */
static int constant(struct draft *d) {
  lua_rawseti(d->L, d->constants, ++d->n_constants);
  return d->n_constants;
}

/* Adds the steps that create an empty table. [-0, +0, m] */
static int add_table(struct draft *d, int a) {
  lua_State *L = d->L;
  int elements = (int)ofox_rawlen(L, a), members = 0;
  lua_pushnil(L);
  while (lua_next(L, a) != 0) {
    members += lua_type(L, -2) == LUA_TSTRING;
    lua_pop(L, 1);
  }
  if (!add(d, NEW, elements, members))
    return 0;
  return !lua_getmetatable(L, a) || add(d, MARK, constant(d), 0);
}

static int draw(struct draft *d, int a, int b, int depth);

/* The value on top is a's, the one below it b's: adds the steps that set it
** under the name or the number below them. [-0, +0, e] */
static int add_member(struct draft *d, int depth) {
  lua_State *L = d->L;
  int top = lua_gettop(L), named = lua_type(L, top - 2) == LUA_TSTRING;
  int key = 0, same = lua_rawequal(L, top, top - 1);
  int place = named ? 0 : (int)lua_tointeger(L, top - 2);
  if (named) {
    lua_pushvalue(L, top - 2);
    key = constant(d);
  }
  if (same && named) {
    lua_pushvalue(L, top);
    return add(d, FIELD, key, constant(d));
  }
  if (named && !add(d, KEY, key, 0))
    return 0;
  if (same) {
    lua_pushvalue(L, top);
    if (!add(d, KEY, constant(d), 0))
      return 0;
  }
  else if (lua_istable(L, top)) {
    if (!draw(d, top, top - 1, depth + 1))
      return 0;
  }
  else if (!add(d, FILL, hole_of(L), 0)) {
    return 0;
  }
  return named ? add(d, SET, 0, 0) : add(d, ITEM, place, 0);
}

/* Adds the steps that create the table at 'a', whose twin is at 'b': 1, or 0:
** there are too many. [-0, +0 (1), +? (0), e] */
static int draw(struct draft *d, int a, int b, int depth) {
  lua_State *L = d->L;
  if (depth == DEEPEST || !add_table(d, a))
    return 0;
  ofox_checkmemory(L, !lua_checkstack(L, 10));
  lua_pushnil(L);
  while (lua_next(L, a) != 0) {
    lua_pushvalue(L, -2);
    lua_rawget(L, b);
    lua_insert(L, -2);
    if (!add_member(d, depth))
      return 0;
    lua_pop(L, 2);
  }
  return 1;
}

void ofox_plan_push(lua_State *L, int a, int b) {
  struct draft d;
  struct plan *made;
  int top = lua_gettop(L);
  size_t size;
  d.L = L;
  d.n_constants = d.plan.n = 0;
  lua_newtable(L);
  d.constants = top + 1;
  if (!draw(&d, a, b, 0)) {
    lua_settop(L, top);
    lua_pushnil(L);
    lua_pushnil(L);
    return;
  }
  size = sizeof(d.plan) - sizeof(d.plan.steps) +
         (size_t)d.plan.n * sizeof(*d.plan.steps);
  made = ofox_newuserdata(L, size);
  memcpy(made, &d.plan, size);
  lua_insert(L, -2);
}

/* Most strings are pushed unchanged. [-0, +1, e] */
static void push_hole(lua_State *L, struct ofox_span json) {
  unsigned found = OFOX_STRING_ESCAPES;
  size_t pos;
  if (*json.p == '"')
    ofox_json_read_string(json.p + 1, json.p + json.n, &found);
  if (found == 0)
    lua_pushlstring(L, json.p + 1, json.n - 2);
  else if (ofox_decode(L, json, 0, &pos) <= 0)
    luaL_error(L, "ofox: JSON that was valid is not");
}

void ofox_plan_follow(lua_State *L, int plan, int constants,
                      const struct ofox_span *holes) {
  const struct plan *p = lua_touserdata(L, plan);
  const struct step *s = p->steps, *end = s + p->n;
  ofox_checkmemory(L, !lua_checkstack(L, 3 * DEEPEST + 10));
  for (; s < end; s++) {
    switch (s->what) {
    case NEW:
      lua_createtable(L, s->x, s->y);
      break;
    case MARK:
      lua_rawgeti(L, constants, s->x);
      lua_setmetatable(L, -2);
      break;
    case KEY:
      lua_rawgeti(L, constants, s->x);
      break;
    case FILL:
      push_hole(L, holes[s->x]);
      break;
    case SET:
      lua_rawset(L, -3);
      break;
    case FIELD:
      lua_rawgeti(L, constants, s->x);
      lua_rawgeti(L, constants, s->y);
      lua_rawset(L, -3);
      break;
    case ITEM:
      lua_rawseti(L, -2, s->x);
    }
  }
}
