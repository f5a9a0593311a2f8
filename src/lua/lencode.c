/*
** Encodes request bodies: Lua values to JSON bytes. Members are sorted by
** name: Lua's own order differs from one process to the next.
*/
#include "lua/lencode.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/json_put.h"
#include "base/sorted_names.h"
#include "lua/lmarks.h"
#include "lua/lnumber.h"
#include "lua/lofox.h"
#include "lua/lpath.h"
#include "wire/request_lists.h"

#define MIXED "a table with both list items and named fields"
#define WRITER_T "ofox.writer"
static const char NO_MEMORY[] = "not enough memory";

#define FEW 24       /* names of an object that stay on Lua's stack */
#define SHALLOW 2000 /* slots in use; Lua 5.1 gives a C function 8,000 */
#define AT_ONCE 256  /* initial room of a request in bytes */

/* What owns memory: Lua collects it, so that a raised error leaks none. */
struct box {
  struct ofox_buf bytes;
  struct ofox_sorted_names names;
};

struct writer {
  struct ofox_buf *out; /* 'to', or where a name is written */
  struct ofox_buf *to;  /* the box's bytes, or the caller's */
  struct box *box;      /* NULL: not needed yet */
  int slot;             /* of the stack, where the box is or will be */
  const char *why;      /* static: what cannot be encoded */
  int of_request;       /* lists of the API are known by name */
  int is_list;          /* the value to encode is such a list */
  int has_own_names;    /* the program chooses the member names of the value */
};

/* A table that is being encoded, and those around it. */
struct level {
  const struct level *up;
  const void *table;
  int depth;
  int has_own_names;
};

static struct box *box_of(lua_State *L, struct writer *w) {
  if (w->box == NULL) {
    struct box *box = ofox_newobject(L, WRITER_T, sizeof(*box));
    ofox_buf_init(&box->bytes, (size_t)-1);
    ofox_sorted_names_init(&box->names);
    lua_replace(L, w->slot);
    w->box = box;
  }
  return w->box;
}

static int fail(struct writer *w, const char *why) {
  w->why = why;
  return -1;
}

/* The result of a buffer function as the result of a write. */
static int done(struct writer *w, int rc) {
  return rc == 0 ? 0 : fail(w, NO_MEMORY);
}

static int write_string(struct writer *w, struct ofox_span s) {
  int rc = ofox_json_put_string(w->out, s);
  return rc == OFOX_ESYNTAX ? fail(w, "invalid UTF-8") : done(w, rc);
}

static int write_number(lua_State *L, struct writer *w, int idx) {
  int rc = ofox_putnumber(L, w->out, idx);
  lua_Number n;
  if (rc != OFOX_ESYNTAX)
    return done(w, rc);
  n = lua_tonumber(L, idx);
  return fail(w,
              n != n ? "NaN has no JSON form" : "infinity has no JSON form");
}

/*
** Length of the list on top, whose keys come in no order: each of 1 to n must
** be present and nothing else. -1 and a reason if not. [-0, +0]
*/
static long list_length(lua_State *L, struct writer *w) {
  lua_Number k, max = 0;
  long count = 0;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TNUMBER) {
      lua_pop(L, 2);
      return fail(w, MIXED);
    }
    k = lua_tonumber(L, -2);
    if (k > max)
      max = k;
    if (k < 1 || floor(k) != k)
      max = HUGE_VAL;
    count++;
  }
  if (max != (lua_Number)count)
    return fail(w, "a list with holes (ofox.object{} makes it an object)");
  return count;
}

/*
** The encoders below have the value on top and leave it there. If one fails,
** the keys and values above the root are the path to the offending value.
*/
static int write_value(lua_State *L, struct writer *w, const struct level *up);

static int write_odd_list(lua_State *L, struct writer *w,
                          const struct level *here) {
  long i, n = list_length(L, w);
  if (n < 0)
    return -1;
  for (i = 1; i <= n; i++) {
    lua_pushinteger(L, (lua_Integer)i);
    lua_rawgeti(L, -2, (int)i);
    if ((i > 1 && done(w, ofox_buf_addc(w->out, ',')) != 0) ||
        write_value(L, w, here) != 0)
      return -1;
    lua_pop(L, 2);
  }
  return 0;
}

static int write_list(lua_State *L, struct writer *w,
                      const struct level *here) {
  size_t start = w->out->n;
  long i;
  lua_pushnil(L);
  for (i = 1; lua_next(L, -2); i++) {
    /* lua_next usually returns lists in order */
    if (lua_type(L, -2) != LUA_TNUMBER ||
        lua_tonumber(L, -2) != (lua_Number)i) {
      lua_pop(L, 2);
      w->out->n = start;
      return write_odd_list(L, w, here);
    }
    if ((i > 1 && done(w, ofox_buf_addc(w->out, ',')) != 0) ||
        write_value(L, w, here) != 0)
      return -1;
    lua_pop(L, 1);
  }
  return 0;
}

/* Is the value on top a table without a mark? [-0, +0] */
static int is_plain_table(lua_State *L) {
  if (!lua_istable(L, -1))
    return 0;
  if (!lua_getmetatable(L, -1))
    return 1;
  lua_pop(L, 1);
  return 0;
}

/* A member whose value is on top, with its key below. */
static int write_member(lua_State *L, struct writer *w,
                        const struct level *here, struct ofox_span name,
                        int more) {
  if (more && done(w, ofox_buf_addc(w->out, ',')) != 0)
    return -1;
  if (write_string(w, name) != 0 || done(w, ofox_buf_addc(w->out, ':')) != 0)
    return -1;
  if (w->of_request && is_plain_table(L) && !here->has_own_names) {
    w->is_list = ofox_request_lists_has(name, here->depth);
    w->has_own_names = ofox_request_lists_ends(name, here->depth);
  }
  return write_value(L, w, here);
}

/* Records the key below the top. Numbers are names only in marked tables. */
static int add_name(lua_State *L, struct writer *w, int numbers) {
  struct ofox_sorted_names *names = &w->box->names;
  struct ofox_name name = {0};
  name.kind = lua_type(L, -2);
  name.at = names->bytes.n;
  if (name.kind == LUA_TSTRING) {
    name.from = lua_tolstring(L, -2, &name.n);
    return done(w, ofox_sorted_names_add(names, &name));
  }
  if (name.kind != LUA_TNUMBER || !numbers) {
    lua_pop(L, 2);
    return fail(w,
                name.kind == LUA_TNUMBER ? MIXED : "a key that is no string");
  }
  w->out = &names->bytes;
  if (write_number(L, w, -2) != 0)
    return -1;
  w->out = w->to;
  name.key.d = (double)lua_tonumber(L, -2);
  if (ofox_isinteger(L, -2)) {
    name.kind = LUA_TNONE;
    name.key.i = lua_tointeger(L, -2);
  }
  return done(w, ofox_sorted_names_add(names, &name));
}

/* Pushes the key recorded as 'name', and its value. [-0, +2, e] */
static void push_member(lua_State *L, const struct writer *w,
                        const struct ofox_name *name) {
  if (name->kind == LUA_TSTRING)
    lua_pushlstring(L, w->box->names.bytes.p + name->at, name->n);
  else if (name->kind == LUA_TNUMBER)
    lua_pushnumber(L, (lua_Number)name->key.d);
  else
    lua_pushinteger(L, (lua_Integer)name->key.i);
  lua_pushvalue(L, -1);
  lua_rawget(L, -3);
}

/* An object of many names, or of numbers: its names are copied. */
static int write_large_object(lua_State *L, struct writer *w,
                              const struct level *here, int numbers) {
  struct ofox_sorted_names *names = &box_of(L, w)->names;
  size_t at, from = names->list.n, bytes = names->bytes.n, end;
  struct ofox_name name;
  struct ofox_span text;
  int more = 0;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (add_name(L, w, numbers) != 0)
      return -1;
  }
  ofox_sorted_names_sort(names, from);
  end = names->list.n;
  for (at = from; at < end; at += sizeof(name), lua_pop(L, 2)) {
    memcpy(&name, names->list.p + at, sizeof(name));
    push_member(L, w, &name);
    if (lua_isnil(L, -1))
      continue; /* collected from a weak table, or removed by a finalizer */
    text.p = names->bytes.p + name.at;
    text.n = name.n;
    if (write_member(L, w, here, text, more) != 0)
      return -1;
    more = 1;
  }
  names->list.n = from;
  names->bytes.n = bytes;
  return 0;
}

/* A name of a small object, and where on the stack it is. */
struct few {
  struct ofox_span text;
  int at;
};

static int is_before(const struct few *a, const struct few *b) {
  size_t n = a->text.n < b->text.n ? a->text.n : b->text.n;
  int c = memcmp(a->text.p, b->text.p, n);
  return c != 0 ? c < 0 : a->text.n < b->text.n;
}

/*
** Pushes the keys of the object on top, and sorts them in 'names'. Returns
** their number; or -1, and pushes nothing: there are too many, or some are not
** strings. [-0, +n]
*/
static int push_few(lua_State *L, struct few *names) {
  int top = lua_gettop(L), n = 0, k;
  struct few one;
  for (lua_pushnil(L); lua_next(L, top); n++) {
    if (n == FEW || lua_type(L, -2) != LUA_TSTRING) {
      lua_settop(L, top);
      return -1;
    }
    one.text.p = lua_tolstring(L, -2, &one.text.n);
    one.at = top + 1 + n;
    for (k = n; k > 0 && is_before(&one, &names[k - 1]); k--)
      names[k] = names[k - 1];
    names[k] = one;
    lua_pop(L, 1);
    lua_pushvalue(L, -1); /* lua_next takes one of the two */
  }
  return n;
}

/* Removes the keys from the path to the offending value. [-n, +0] */
static int fail_below(lua_State *L, int at, int n) {
  for (; n > 0; n--)
    lua_remove(L, at);
  return -1;
}

static int write_object(lua_State *L, struct writer *w,
                        const struct level *here, int numbers) {
  struct few names[FEW];
  int i, n, top = lua_gettop(L), more = 0;
  n = top < SHALLOW && lua_checkstack(L, FEW + 8) ? push_few(L, names) : -1;
  if (n < 0)
    return write_large_object(L, w, here, numbers);
  for (i = 0; i < n; i++, lua_settop(L, top + n)) {
    lua_pushvalue(L, names[i].at);
    lua_pushvalue(L, names[i].at);
    lua_rawget(L, top);
    if (lua_isnil(L, -1))
      continue; /* collected from a weak table, or removed by a finalizer */
    if (write_member(L, w, here, names[i].text, more) != 0)
      return fail_below(L, top + 1, n);
    more = 1;
  }
  lua_settop(L, top);
  return 0;
}

static int write_table(lua_State *L, struct writer *w,
                       const struct level *up) {
  struct level here;
  const struct level *l;
  enum ofox_mark mark;
  int first = LUA_TNIL, list, rc, is_list = w->is_list;
  here.has_own_names = w->has_own_names;
  w->is_list = w->has_own_names = 0;
  here.up = up;
  here.table = lua_topointer(L, -1);
  here.depth = up == NULL ? 1 : up->depth + 1;
  for (l = up; l != NULL; l = l->up) {
    if (l->table == here.table)
      return fail(w, "a table that contains itself");
  }
  if (here.depth > OFOX_JSON_DEPTH)
    return fail(w, "nested too deeply");
  if (!lua_checkstack(L, 8))
    return fail(w, NO_MEMORY);
  mark = ofox_getmetamark(L);
  lua_pushnil(L);
  if (lua_next(L, -2)) {
    first = lua_type(L, -2);
    lua_pop(L, 2);
  }
  list = mark == OFOX_MARK_ARRAY ||
         (first == LUA_TNUMBER && mark != OFOX_MARK_OBJECT) ||
         (first == LUA_TNIL && (mark == OFOX_MARK_EMPTY || is_list));
  rc = ofox_buf_addc(w->out, list ? '[' : '{');
  if (rc != 0)
    return done(w, rc);
  rc = list ? write_list(L, w, &here)
            : write_object(L, w, &here, mark == OFOX_MARK_OBJECT);
  return rc != 0 ? rc : done(w, ofox_buf_addc(w->out, list ? ']' : '}'));
}

static int write_userdata(lua_State *L, struct writer *w) {
  switch (ofox_getmark(L)) {
  case OFOX_MARK_NULL:
    return done(w, ofox_buf_adds(w->out, "null"));
  case OFOX_MARK_ARRAY:
  case OFOX_MARK_EMPTY:
    return done(w, ofox_buf_adds(w->out, "[]"));
  default:
    return fail(w, "a userdata has no JSON form");
  }
}

static int write_value(lua_State *L, struct writer *w,
                       const struct level *up) {
  struct ofox_span text;
  switch (lua_type(L, -1)) {
  case LUA_TSTRING:
    text.p = lua_tolstring(L, -1, &text.n);
    return write_string(w, text);
  case LUA_TTABLE:
    return write_table(L, w, up);
  case LUA_TNUMBER:
    return write_number(L, w, -1);
  case LUA_TBOOLEAN:
    return done(
        w, ofox_buf_adds(w->out, lua_toboolean(L, -1) ? "true" : "false"));
  case LUA_TLIGHTUSERDATA:
  case LUA_TUSERDATA:
    return write_userdata(L, w);
  case LUA_TFUNCTION:
    return fail(w, "a function has no JSON form");
  case LUA_TTHREAD:
    return fail(w, "a coroutine has no JSON form");
  case LUA_TNIL:
    return fail(w, "nil has no JSON form");
  default:
    return fail(w, "a cdata has no JSON form");
  }
}

/* "messages[2].content: " with the reason. [-0, +1, e] */
static void push_failure(lua_State *L, struct writer *w) {
  int last = lua_gettop(L) - 1;
  struct ofox_buf *out = &box_of(L, w)->bytes;
  ofox_buf_clear(out);
  if (w->why == NO_MEMORY ||
      ofox_buf_reserve(out, OFOX_PATH_MAX + 2 + strlen(w->why)) != 0)
    luaL_error(L, NO_MEMORY);
  ofox_putpath(L, out, w->slot + 2, last);
  if (out->n > 0)
    (void)ofox_buf_adds(out, ": ");
  (void)ofox_buf_adds(out, w->why);
  lua_pushlstring(L, out->p, out->n);
}

static int box_gc(lua_State *L) {
  struct box *box = luaL_checkudata(L, 1, WRITER_T);
  ofox_buf_free(&box->bytes);
  ofox_sorted_names_free(&box->names);
  return 0;
}

void ofox_open_encode(lua_State *L) {
  ofox_newclass(L, WRITER_T, box_gc);
}

/* Pushes a slot for the box, and the value at 'arg' again. [-0, +2] */
static struct writer begin(lua_State *L, int arg, int of_request) {
  struct writer w;
  memset(&w, 0, sizeof(w));
  w.of_request = of_request;
  lua_pushnil(L);
  w.slot = lua_gettop(L);
  lua_pushvalue(L, arg);
  return w;
}

/* While the box is on the stack. */
static void free_box(struct writer *w) {
  if (w->box == NULL)
    return;
  ofox_buf_free(&w->box->bytes);
  ofox_sorted_names_free(&w->box->names);
}

int ofox_encode_to(lua_State *L, int arg, struct ofox_buf *out) {
  struct writer w = begin(L, arg, 1);
  int rc;
  w.out = w.to = out;
  rc = done(&w, ofox_buf_reserve(out, AT_ONCE));
  if (rc == 0)
    rc = write_value(L, &w, NULL);
  if (rc != 0)
    push_failure(L, &w);
  free_box(&w);
  if (rc != 0)
    lua_replace(L, w.slot);
  lua_settop(L, w.slot - (rc == 0));
  return rc;
}

/* Encodes the argument. [-?, +1|2, e] */
static int encode(lua_State *L, int of_request) {
  struct writer w;
  int rc;
  lua_settop(L, 1);
  w = begin(L, 1, of_request);
  w.out = w.to = &box_of(L, &w)->bytes;
  rc = write_value(L, &w, NULL);
  if (rc == 0)
    lua_pushlstring(L, w.to->p, w.to->n);
  else
    push_failure(L, &w);
  free_box(&w);
  if (rc == 0)
    return 1;
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

int ofox_encode(lua_State *L) {
  return encode(L, 0);
}

int ofox_encode_request(lua_State *L) {
  return encode(L, 1);
}
