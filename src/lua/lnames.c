#include "lua/lnames.h"

#include <stdint.h>
#include <string.h>

/* A string's bytes: whole words, the last of which may overlap. */
struct name {
  uint64_t words[OFOX_NAME_MAX / 8];
  size_t n; /* 0: none */
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

/* Of 1 to OFOX_NAME_MAX bytes. */
static inline struct name name_of(struct ofox_span s) {
  struct name name = {{0, 0, 0, 0}, 0};
  const char *p = s.p;
  size_t i, n = s.n;
  name.n = n;
  if (n >= 8) {
    for (i = 0; (i + 1) * 8 < n; i++)
      name.words[i] = word_at(p + i * 8);
    name.words[i] = word_at(p + n - 8);
  }
  else if (n >= 4)
    name.words[0] = half_at(p) | half_at(p + n - 4) << 32;
  else
    name.words[0] = (uint64_t)(unsigned char)p[0] |
                    (uint64_t)(unsigned char)p[n / 2] << 8 |
                    (uint64_t)(unsigned char)p[n - 1] << 16;
  return name;
}

static inline size_t place_of(const struct name *name) {
  uint64_t h = name->words[0] + name->words[1] * 3 + name->words[2] * 5 +
               name->words[3] * 7 + name->n;
  return (size_t)(h * UINT64_C(0x9E3779B97F4A7C15) >> 56) % OFOX_NAMES;
}

static inline int is_same(const struct name *a, const struct name *b) {
  uint64_t other = (a->words[0] ^ b->words[0]) | (a->words[1] ^ b->words[1]) |
                   (a->words[2] ^ b->words[2]) | (a->words[3] ^ b->words[3]);
  return other == 0 && a->n == b->n;
}

void ofox_pushname(lua_State *L, struct ofox_names *names, int kept,
                   struct ofox_span s) {
  struct name name;
  size_t place;
  if (s.n == 0 || s.n > OFOX_NAME_MAX) {
    lua_pushlstring(L, s.n == 0 ? "" : s.p, s.n);
    return;
  }
  name = name_of(s);
  place = place_of(&name);
  if (is_same(&name, &names->names[place])) {
    lua_rawgeti(L, kept, (int)place + 1);
    return;
  }
  /* a collection may come here, and finalizers that decode; what follows
     allocates nothing */
  lua_pushlstring(L, s.p, s.n);
  lua_pushvalue(L, -1);
  lua_rawseti(L, kept, (int)place + 1);
  names->names[place] = name;
}
