#include "lua/lnames.h"

#include <stdint.h>
#include <string.h>

/* A string's bytes, in words that may overlap. */
struct name {
  uint64_t first, last;
  uint64_t second, third; /* if over 16 bytes; the third from the end */
  size_t n;               /* 0: none */
};

struct ofox_names {
  struct name names[OFOX_NAMES];
};

struct ofox_names *ofox_newnames(lua_State *L) {
  struct ofox_names *names = ofox_newuserdata(L, sizeof(*names));
  int i;
  memset(names, 0, sizeof(*names));
  lua_createtable(L, OFOX_NAMES, 0);
  for (i = 1; i <= OFOX_NAMES; i++) {
    lua_pushboolean(L, 0);
    lua_rawseti(L, -2, i);
  }
  return names;
}

static inline uint64_t word_at(const char *p) {
  uint64_t w;
  memcpy(&w, p, sizeof(w));
  return w;
}

static inline uint64_t half_at(const char *p) {
  uint32_t w;
  memcpy(&w, p, sizeof(w));
  return w;
}

/* Caches the string on top, whose bytes are at 'p'. [-0, +0] */
static void keep(lua_State *L, struct name *name, int kept, int i,
                 const char *p) {
  lua_pushvalue(L, -1);
  lua_rawseti(L, kept, i);
  if (name->n > 16) {
    name->second = word_at(p + 8);
    name->third = word_at(p + name->n - 16);
  }
}

void ofox_pushname(lua_State *L, struct ofox_names *names, int kept,
                   struct ofox_span s) {
  uint64_t first, last;
  const char *p = s.p;
  struct name *name;
  size_t n = s.n, i;
  if (n - 1 >= OFOX_NAME_MAX) {
    lua_pushlstring(L, n == 0 ? "" : p, n);
    return;
  }
  if (n >= 8) {
    first = word_at(p);
    last = word_at(p + n - 8);
  }
  else if (n >= 4) {
    first = half_at(p);
    last = half_at(p + n - 4);
  }
  else {
    first = (unsigned char)p[0];
    last = (uint64_t)(unsigned char)p[n / 2] << 8 | (unsigned char)p[n - 1];
  }
  i = (size_t)((first + last * 3 + n) * UINT64_C(0x9E3779B97F4A7C15) >> 56);
  name = &names->names[i % OFOX_NAMES];
  if (name->first == first && name->last == last && name->n == n &&
      (n <= 16 || (name->second == word_at(p + 8) &&
                   name->third == word_at(p + n - 16)))) {
    lua_rawgeti(L, kept, (int)(i % OFOX_NAMES) + 1);
    return;
  }
  /* a collection may run here, with finalizers that decode; the code below
  allocates nothing */
  lua_pushlstring(L, p, n);
  name->first = first;
  name->last = last;
  name->n = n;
  keep(L, name, kept, (int)(i % OFOX_NAMES) + 1, p);
}
