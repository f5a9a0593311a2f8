#define _POSIX_C_SOURCE 200809L /* sigaction */
#include "lua/linterrupt.h"

#include <signal.h>
#include <string.h>

#include <lualib.h>

#define MAIN_THREAD "ofox.main_thread"
#define HANDLER "ofox.sigint"
#define MAKER "ofox.interrupted"

/* The hook mask that lua.c (5.1 to 5.4) and luajit set: any next step. */
#define INTERRUPT_MASK (LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT)

static int is_handler(const struct sigaction *a) {
  return (a->sa_flags & SA_SIGINFO) == 0 && a->sa_handler != SIG_DFL &&
         a->sa_handler != SIG_IGN;
}

/* The original handler; core and engine share it. */
static struct sigaction *remembered(lua_State *L) {
  struct sigaction *a;
  lua_getfield(L, LUA_REGISTRYINDEX, HANDLER);
  a = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return a;
}

static void remember_handler(lua_State *L) {
  struct sigaction now;
  if (remembered(L) != NULL || sigaction(SIGINT, NULL, &now) != 0 ||
      !is_handler(&now))
    return;
  memcpy(ofox_newuserdata(L, sizeof(now)), &now, sizeof(now));
  lua_setfield(L, LUA_REGISTRYINDEX, HANDLER);
}

void ofox_open_interrupt(lua_State *L) {
#ifndef LUA_RIDX_MAINTHREAD
  if (lua_pushthread(L))
    lua_setfield(L, LUA_REGISTRYINDEX, MAIN_THREAD);
  else
    lua_pop(L, 1);
#endif
  remember_handler(L);
}

void ofox_setinterrupt(lua_State *L) {
  lua_setfield(L, LUA_REGISTRYINDEX, MAKER);
}

static lua_State *main_thread(lua_State *L) {
  lua_State *m;
#ifdef LUA_RIDX_MAINTHREAD
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
#else
  lua_getfield(L, LUA_REGISTRYINDEX, MAIN_THREAD);
#endif
  m = lua_tothread(L, -1);
  lua_pop(L, 1);
  return m != NULL ? m : L;
}

/* The interpreter's handler restores the signal's default action. */
static int is_used_up(void) {
  struct sigaction now;
  return sigaction(SIGINT, NULL, &now) == 0 &&
         (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL;
}

int ofox_rearm(lua_State *L) {
  const struct sigaction *handler = remembered(L);
  return handler != NULL && is_used_up() &&
         sigaction(SIGINT, handler, NULL) == 0;
}

/* LuaJIT has one hook for all threads. */
static int is_hooked(lua_State *L) {
  return lua_gethook(L) != NULL && lua_gethookcount(L) == 1 &&
         (lua_gethookmask(L) & INTERRUPT_MASK) == INTERRUPT_MASK;
}

void ofox_checkinterrupt(lua_State *L) {
  lua_State *m = main_thread(L);
  if (!is_hooked(m) || !is_used_up())
    return;
  lua_sethook(m, NULL, 0, 0);
  ofox_rearm(L);
  lua_getfield(L, LUA_REGISTRYINDEX, MAKER);
  if (!lua_isfunction(L, -1))
    luaL_error(L, "interrupted!");
  lua_call(L, 0, 1);
  lua_error(L);
}
