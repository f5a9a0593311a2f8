#include "lua/ldecode.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/json_number.h"
#include "base/json_string.h"
#include "base/utf8.h"
#include "lua/lmarks.h"
#include "lua/lnames.h"
#include "lua/lofox.h"
#include "wire/dialects/list.h"

/*
** Values wait on Lua's stack until their container ends and its size is known.
** This is the limit for the values of the outer containers; deeply nested ones
** may hardly hold any: Lua 5.1 gives a C function 8,000 slots.
*/
#define WAITING 2000
#define WAITING_DEEP 2
#define SHALLOW 1000 /* slots in use */
#define STEP 32      /* slots that are asked for at a time */

/* In the registry: the table of the names, with the other values that this
** Lua state keeps after them. */
static const char KEPT = 'k';
enum { KEPT_NAMES = OFOX_NAMES + 1, KEPT_MARKS };

struct decoder {
  lua_State *L;
  const char *p, *e;
  struct ofox_names *names;
  int base;  /* the table of KEPT; above it is 'room' */
  int top;   /* what lua_gettop would return between two values */
  int ready; /* the stack is allocated up to here at least */
  int depth;
  int halves;
  unsigned found; /* OFOX_STRING_*, of all strings */
  /* Of an answer: */
  struct ofox_usage_said *said; /* what 'usage' says, once there is some */
  int usage;                    /* the rank of its name; 0: none yet */
  enum ofox_usage_word word;    /* of the object in it that is being read */
  char *room;                   /* for long text with escapes; Lua's */
  size_t room_size;
  char few[512]; /* for short text with escapes */
};

static int value(struct decoder *d);

static const char *skip_run(const char *p, const char *e) {
  while (p < e && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    p++;
  return p;
}

/* The next byte that is no blank, or 0 at the end. */
static inline char peek(struct decoder *d) {
  if (d->p < d->e && (unsigned char)*d->p > ' ')
    return *d->p;
  d->p = skip_run(d->p, d->e);
  return d->p < d->e ? *d->p : '\0';
}

/* Ensures space for 'n' more values. [-0, +0, e] */
static inline void want_slots(struct decoder *d, int n) {
  if (d->ready - d->top >= n)
    return;
  ofox_checkmemory(d->L, !lua_checkstack(d->L, n + STEP));
  d->ready = d->top + n + STEP;
}

/* Text with escapes or bad bytes. [-0, +1, m] */
static void push_unescaped(struct decoder *d, struct ofox_span text) {
  size_t need = OFOX_UNESCAPED_ROOM(text.n), n;
  char *to = d->few;
  if (need > sizeof(d->few)) {
    if (d->room_size < need) {
      d->room = ofox_newuserdata(d->L, need);
      d->room_size = need;
      lua_replace(d->L, d->base + 1);
    }
    to = d->room;
  }
  n = ofox_json_unescape(to, text, d->halves);
  lua_pushlstring(d->L, to, n);
}

/* Reads the string whose quote is at d->p. Returns its flags, or -1. */
static inline int read_string(struct decoder *d, struct ofox_span *text) {
  unsigned found;
  const char *end = ofox_json_read_string(++d->p, d->e, &found);
  if (end == NULL)
    return -1;
  text->p = d->p;
  text->n = (size_t)(end - d->p);
  d->p = end + 1;
  d->found |= found;
  return (int)found;
}

/* [-0, +1, m] */
static inline void push_string(struct decoder *d, struct ofox_span text,
                               int found) {
  int same = d->halves ? OFOX_STRING_BAD : 0;
  if ((found & ~same) != 0)
    push_unescaped(d, text);
  else
    ofox_pushname(d->L, d->names, d->base, text);
}

/* All of these push the value at d->p and return 1, or return 0 and leave the
** stack to ofox_decode. Two slots are free. [-0, +1, e] */

static int string(struct decoder *d) {
  struct ofox_span text;
  int found = read_string(d, &text);
  if (found < 0)
    return 0;
  push_string(d, text, found);
  d->top++;
  return 1;
}

/* The number is in '*n', too. */
static inline int number_to(struct decoder *d, struct ofox_json_number *n) {
  const char *end = ofox_json_read_number(d->p, d->e, n);
  if (end == NULL)
    return 0;
  d->p = end;
  d->top++;
#if OFOX_INTEGERS
  if (n->whole && n->i >= LUA_MININTEGER && n->i <= LUA_MAXINTEGER) {
    lua_pushinteger(d->L, (lua_Integer)n->i);
    return 1;
  }
#endif
  lua_pushnumber(d->L, (lua_Number)n->d);
  return 1;
}

static int number(struct decoder *d) {
  struct ofox_json_number n;
  return number_to(d, &n);
}

/* Skips the word that should be at d->p. */
static int pass(struct decoder *d, const char *word, size_t n) {
  if ((size_t)(d->e - d->p) < n || memcmp(d->p, word, n) != 0)
    return 0;
  d->p += n;
  return 1;
}

static int boolean(struct decoder *d) {
  int is_true = *d->p == 't';
  if (!pass(d, is_true ? "true" : "false", is_true ? 4 : 5))
    return 0;
  lua_pushboolean(d->L, is_true);
  d->top++;
  return 1;
}

static int null(struct decoder *d) {
  if (!pass(d, "null", 4))
    return 0;
  lua_pushlightuserdata(d->L, NULL);
  d->top++;
  return 1;
}

/* Enters the container at d->p and returns how many values may wait in it, or
** 0. Its table will be at d->top. [-0, +1, e] */
static int enter(struct decoder *d) {
  if (d->depth == OFOX_JSON_DEPTH)
    return 0;
  d->depth++;
  d->p++;
  want_slots(d, 4);
  lua_pushnil(d->L);
  d->top++;
  return d->top - d->base < SHALLOW ? WAITING : WAITING_DEEP;
}

static int leave(struct decoder *d) {
  d->p++;
  d->depth--;
  return 1;
}

/* Skips the separator of two members: 1 at the next, 2 at the end. */
static inline int go_on(struct decoder *d, char close) {
  char c = peek(d);
  if (c == close)
    return 2;
  if (c != ',')
    return 0;
  d->p++;
  return 1;
}

/*
** Returns how many more elements an array has, of which those from 'from' to
** 'p' have been read; 0 if that is not easy to determine. Looks at no byte of
** another array, and at few beyond those that have been read.
*/
static int count_rest(const struct decoder *d, const char *from) {
  const char *p = d->p, *e;
  size_t read = (size_t)(p - from), left = (size_t)(d->e - p), n;
  if (memchr(from, '[', read) != NULL)
    return 0;
  e = memchr(p, ']', left / 64 < read ? left : read * 64);
  if (e == NULL || memchr(p, '[', (size_t)(e - p)) != NULL ||
      memchr(from, '{', (size_t)(e - from)) != NULL ||
      memchr(from, '"', (size_t)(e - from)) != NULL)
    return 0;
  n = ofox_json_count_commas(p, e);
  return n < INT_MAX / 2 ? (int)n : 0;
}

/* The values above 'slot' become its array. [-n, +0, m] */
static void settle_array(struct decoder *d, int slot, int n, int more) {
  lua_createtable(d->L, n + more, 0);
  lua_replace(d->L, slot);
  d->top = slot;
  for (; n > 0; n--)
    lua_rawseti(d->L, slot, n);
}

static int elements(struct decoder *d, int slot, int may_wait) {
  const char *from = d->p;
  int n = 0, more;
  char c;
  do {
    want_slots(d, 4);
    c = peek(d);
    /* lists of numbers are long */
    if (!(c >= '-' && c <= '9' ? number(d) : value(d)))
      return 0;
    n++;
    if (n > may_wait) {
      lua_rawseti(d->L, slot, n);
      d->top--;
    }
    else if (n == may_wait)
      settle_array(d, slot, n, count_rest(d, from));
    more = go_on(d, ']');
  } while (more == 1);
  if (more == 0)
    return 0;
  if (n < may_wait)
    settle_array(d, slot, n, 0);
  return leave(d);
}

static int array(struct decoder *d) {
  int may_wait = enter(d);
  if (may_wait == 0)
    return 0;
  if (peek(d) != ']')
    return elements(d, d->top, may_wait);
  lua_newtable(d->L);
  lua_replace(d->L, d->top);
  lua_rawgeti(d->L, d->base, KEPT_MARKS);
  lua_getfield(d->L, -1, "array");
  lua_setmetatable(d->L, d->top);
  lua_pop(d->L, 1);
  return leave(d);
}

/* The pairs above 'slot' become its object: in order, since the last of two
** equal names counts. [-2n, +0, m] */
static void settle_object(struct decoder *d, int slot, int n) {
  lua_State *L = d->L;
  int pair = slot + 1, last = slot + 2 * n - 1;
  lua_createtable(L, 0, n);
  lua_replace(L, slot);
  for (; pair < last; pair += 2) {
    lua_pushvalue(L, pair);
    lua_pushvalue(L, pair + 1);
    lua_rawset(L, slot);
  }
  if (n > 0)
    lua_rawset(L, slot);
  lua_settop(L, slot);
  d->top = slot;
}

/* Objects: most are PLAIN; of the others the numbers of 'usage' are noted. */
enum kind { PLAIN, ANSWER_OBJECT, USAGE_OBJECT, DETAILS };

static int noted_value(struct decoder *d, enum kind k, struct ofox_span name);

/* A name, its colon, and a value: 1 if that is not null, else 2. */
static inline int member(struct decoder *d, enum kind k) {
  struct ofox_span name;
  int found = peek(d) == '"' ? read_string(d, &name) : -1;
  if (found < 0 || peek(d) != ':')
    return 0;
  d->p++;
  if (peek(d) == 'n')
    return pass(d, "null", 4) ? 2 : 0;
  want_slots(d, 6);
  push_string(d, name, found);
  d->top++;
  return k == PLAIN ? value(d) : noted_value(d, k, name);
}

static inline int members(struct decoder *d, int slot, int may_wait,
                          enum kind k) {
  int n = 0, more, got;
  do {
    got = member(d, k);
    if (got == 0)
      return 0;
    n += got == 1;
    if (got == 1 && n > may_wait / 2) {
      lua_rawset(d->L, slot);
      d->top -= 2;
    }
    else if (got == 1 && n == may_wait / 2)
      settle_object(d, slot, n);
    more = go_on(d, '}');
  } while (more == 1);
  if (more == 0)
    return 0;
  if (n < may_wait / 2)
    settle_object(d, slot, n);
  return leave(d);
}

static inline int object_of(struct decoder *d, enum kind k) {
  int may_wait = enter(d);
  if (may_wait == 0)
    return 0;
  if (peek(d) != '}')
    return members(d, d->top, may_wait, k);
  settle_object(d, d->top, 0);
  return leave(d);
}

static int object(struct decoder *d) {
  return object_of(d, PLAIN);
}

/* The value at d->p, which is one of 'kind' if it is an object. */
static int noted(struct decoder *d, enum kind k) {
  return peek(d) == '{' ? object_of(d, k) : value(d);
}

static int noted_number(struct decoder *d, enum ofox_usage_word w) {
  struct ofox_json_number n;
  char c = peek(d);
  ofox_usage_say(d->said, w, NAN);
  if (c != '-' && (c < '0' || c > '9'))
    return value(d);
  if (!number_to(d, &n))
    return 0;
  ofox_usage_say(d->said, w, n.d);
  return 1;
}

/* A member of the answer. A usage begins anew, unless a better one is known.
 */
static int answer_value(struct decoder *d, struct ofox_span name) {
  int rank = ofox_usage_rank(name);
  if (rank == 0 || (d->usage != 0 && d->usage < rank))
    return value(d);
  d->usage = rank;
  ofox_usage_clear(d->said);
  return noted(d, USAGE_OBJECT);
}

static int usage_value(struct decoder *d, struct ofox_span name) {
  enum ofox_usage_word w = ofox_usage_word(name);
  if (w == OFOX_USAGE_NWORDS)
    return value(d);
  if (ofox_usage_names[w].part == NULL)
    return noted_number(d, w);
  ofox_usage_say(d->said, w, NAN);
  d->word = w;
  return noted(d, DETAILS);
}

/* A name that has escapes is none of those. */
static int noted_value(struct decoder *d, enum kind k, struct ofox_span name) {
  if (k == ANSWER_OBJECT)
    return answer_value(d, name);
  if (k == USAGE_OBJECT)
    return usage_value(d, name);
  return ofox_usage_is_part(d->word, name) ? noted_number(d, d->word)
                                           : value(d);
}

static int value(struct decoder *d) {
  switch (peek(d)) {
  case '"':
    return string(d);
  case '{':
    return object(d);
  case '[':
    return array(d);
  case 't':
  case 'f':
    return boolean(d);
  case 'n':
    return null(d);
  default:
    return number(d);
  }
}

/* [-0, +2, e] */
static void start(lua_State *L, struct decoder *d, struct ofox_span text) {
  ofox_checkmemory(L, !lua_checkstack(L, STEP));
  d->L = L;
  d->p = text.p;
  d->e = text.p + text.n;
  d->base = lua_gettop(L) + 1;
  d->top = d->base + 1;
  d->ready = d->base - 1 + STEP;
  d->depth = 0;
  d->halves = 0;
  d->found = 0;
  d->usage = 0;
  d->room_size = 0;
  lua_pushlightuserdata(L, (void *)&KEPT);
  lua_rawget(L, LUA_REGISTRYINDEX);
  lua_rawgeti(L, d->base, KEPT_NAMES);
  d->names = lua_touserdata(L, -1);
}

/* Ends what start() began; 'ok': the value is on top. */
static int end(struct decoder *d, int ok, struct ofox_span text, size_t *pos) {
  lua_State *L = d->L;
  int rc;
  if (ok && peek(d) == '\0' && d->p == d->e) {
    lua_replace(L, d->base);
    lua_settop(L, d->base);
    rc = (d->found & (OFOX_STRING_BAD | OFOX_STRING_LONE)) != 0;
    return rc ? OFOX_DECODED_ROUGH : OFOX_DECODED;
  }
  lua_settop(L, d->base - 1);
  rc = ofox_json_check(text, pos);
  return rc <= 0 ? rc : OFOX_ESYNTAX;
}

int ofox_decode(lua_State *L, struct ofox_span text, unsigned flags,
                size_t *pos) {
  struct decoder d;
  start(L, &d, ofox_utf8_skip_bom(text));
  d.halves = (flags & OFOX_DECODE_HALVES) != 0;
  return end(&d, value(&d), text, pos);
}

int ofox_decode_answer(lua_State *L, struct ofox_span text,
                       struct ofox_usage *used, size_t *pos) {
  struct decoder d;
  struct ofox_usage_said said;
  int rc;
  start(L, &d, ofox_utf8_skip_bom(text));
  d.said = &said;
  rc = end(&d, noted(&d, ANSWER_OBJECT), text, pos);
  if (d.usage == 0)
    ofox_usage_clear(&said);
  (void)ofox_usage_sum(&said, used);
  return rc;
}

void ofox_pushbroken(lua_State *L, struct ofox_span text, int rc, size_t pos) {
  const char *problem;
  if (rc == 0) {
    lua_pushliteral(L, "the JSON ends too early");
    return;
  }
  problem = ofox_json_problem(text, pos);
  lua_pushinteger(L, (lua_Integer)pos + 1);
  lua_pushfstring(L, "no JSON: unexpected byte at %s%s%s", lua_tostring(L, -1),
                  problem == NULL ? "" : ", ", problem == NULL ? "" : problem);
  lua_remove(L, -2);
}

void ofox_open_decode(lua_State *L) {
  int marks = lua_gettop(L);
  lua_pushlightuserdata(L, (void *)&KEPT);
  ofox_newnames(L);
  lua_insert(L, -2);
  lua_rawseti(L, -2, KEPT_NAMES);
  lua_pushvalue(L, marks);
  lua_rawseti(L, -2, KEPT_MARKS);
  lua_rawset(L, LUA_REGISTRYINDEX);
}
