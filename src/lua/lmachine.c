/*
** ofox.core: system services: clocks, randomness, a pause, Ctrl-C and the
** working directory.
*/
#define _POSIX_C_SOURCE 200809L /* nanosleep, getcwd */
#include "lua/lofox.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/random.h>
#endif

#include "base/base64.h"
#include "io/clocks.h"
#include "io/forks.h"
#include "lua/linterrupt.h"
#include "lua/lmachine.h"
#include "lua/lopen.h"

#define RANDOM_MAX 256 /* bytes */
#define POOL_SIZE 1024 /* bytes */
#define PATH_SIZE 4096 /* bytes */

static int random_bytes(unsigned char *p, size_t n) {
  FILE *f;
  size_t got;
#ifdef __linux__
  /* never short for so few; old kernels and sandboxes have only the device */
  if (getrandom(p, n, 0) == (ssize_t)n)
    return 0;
#endif
  f = fopen("/dev/urandom", "rbe");
  if (f == NULL)
    return -1;
  got = fread(p, 1, n, f);
  fclose(f);
  return got == n ? 0 : -1;
}

/* Unused random bytes, of this process only. */
struct pool {
  size_t left;
  unsigned long forks; /* before it was filled */
  unsigned char bytes[POOL_SIZE];
};

static char pool_key; /* where the pool is in the registry */

/* Returns 'n' unused bytes, valid until the next draw; 'n' is at most
** RANDOM_MAX. [-0, +0, v] */
static const unsigned char *draw(lua_State *L, size_t n) {
  struct pool *p;
  lua_pushlightuserdata(L, &pool_key);
  lua_rawget(L, LUA_REGISTRYINDEX);
  p = lua_touserdata(L, -1);
  lua_pop(L, 1); /* the registry keeps it */
  if (p->forks != ofox_forks_passed())
    p->left = 0;
  if (p->left < n) {
    p->left = 0;
    if (random_bytes(p->bytes, sizeof(p->bytes)) != 0)
      luaL_error(L, "no source of random bytes");
    p->forks = ofox_forks_passed();
    p->left = sizeof(p->bytes);
  }
  p->left -= n;
  return p->bytes + p->left;
}

/* core.random(n) -> n random bytes */
static int core_random(lua_State *L) {
  lua_Integer n = luaL_checkinteger(L, 1);
  luaL_argcheck(L, n >= 0 && n <= RANDOM_MAX, 1, "out of range");
  lua_pushlstring(L, (const char *)draw(L, (size_t)n), (size_t)n);
  return 1;
}

void ofox_putid(lua_State *L, char *out) {
  const unsigned char *b = draw(L, OFOX_ID_SIZE);
  size_t i;
  for (i = 0; i < OFOX_ID_SIZE; i++)
    out[i] = ofox_base64_letters[b[i] & 63];
  (void)ofox_base64_make_url_safe(out, OFOX_ID_SIZE);
  out[OFOX_ID_SIZE] = '\0';
}

/* core.id() -> a random id */
static int core_id(lua_State *L) {
  char out[OFOX_ID_SIZE + 1];
  ofox_putid(L, out);
  lua_pushlstring(L, out, OFOX_ID_SIZE);
  return 1;
}

/* core.wall() -> seconds since 1970 */
static int core_wall(lua_State *L) {
  lua_pushnumber(L, ofox_clocks_wall());
  return 1;
}

/* core.now() -> seconds of a monotonic clock */
static int core_now(lua_State *L) {
  lua_pushnumber(L, ofox_clocks_now());
  return 1;
}

/*
** core.pause(seconds): waits no longer than that, nor than OFOX_LONGEST_WAIT.
** true, or false if a signal arrived first; raises if it was Ctrl-C
*/
static int core_pause(lua_State *L) {
  double seconds = luaL_checknumber(L, 1);
  struct timespec t = {0, 0};
  int whole;
  if (seconds > 0)
    t.tv_nsec = (long)(fmin(seconds, OFOX_LONGEST_WAIT) * 1e9);
  whole = nanosleep(&t, NULL) == 0;
  ofox_checkinterrupt(L);
  lua_pushboolean(L, whole);
  return 1;
}

/* core.cwd() -> path of the working directory, or nil if it has none */
static int core_cwd(lua_State *L) {
  char path[PATH_SIZE];
  if (getcwd(path, sizeof(path)) == NULL)
    return 0;
  lua_pushstring(L, path);
  return 1;
}

/* core.on_interrupt(fn): fn's result is raised if Ctrl-C ends a wait */
static int core_on_interrupt(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  ofox_setinterrupt(L);
  return 0;
}

/* core.rearm() -> whether the interpreter itself has handled a Ctrl-C: then
** the next one is ours again */
static int core_rearm(lua_State *L) {
  lua_pushboolean(L, ofox_rearm(L));
  return 1;
}

/* core.claim() -> true, once per process, whatever Lua states it has */
static int core_claim(lua_State *L) {
  static pid_t claimed;
  pid_t own = getpid();
  lua_pushboolean(L, claimed != own);
  claimed = own;
  return 1;
}

static const luaL_Reg FUNCTIONS[] = {
    {"claim", core_claim}, {"cwd", core_cwd},
    {"now", core_now},     {"on_interrupt", core_on_interrupt},
    {"pause", core_pause}, {"random", core_random},
    {"rearm", core_rearm}, {"id", core_id},
    {"wall", core_wall},   {NULL, NULL},
};

/* Creates the pool, empty. [-0, +0, e] */
static void open_random(lua_State *L) {
  struct pool *p;
  lua_pushlightuserdata(L, &pool_key);
  p = ofox_newuserdata(L, sizeof(*p));
  p->left = 0;
  p->forks = 0;
  lua_rawset(L, LUA_REGISTRYINDEX);
}

void ofox_open_machine(lua_State *L) {
  ofox_checkmemory(L, ofox_forks_watch());
  ofox_open_interrupt(L);
  ofox_setfuncs(L, FUNCTIONS);
  open_random(L);
}
