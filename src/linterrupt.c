#include "linterrupt.h"

#include <lualib.h>

#define MAIN_THREAD "ofox.main_thread"

/* What lua.c (5.1 to 5.4) and luajit ask for: each next step. */
#define INTERRUPT_MASK (LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT)

void ofox_open_interrupt(lua_State *L) {
#ifdef LUA_RIDX_MAINTHREAD
  (void)L;
#else
  if (lua_pushthread(L))
    lua_setfield(L, LUA_REGISTRYINDEX, MAIN_THREAD);
  else
    lua_pop(L, 1);
#endif
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
  return m;
}

void ofox_checkinterrupt(lua_State *L) {
  lua_State *m = main_thread(L);
  /* LuaJIT has one hook for all threads, which runs by itself */
  if (m != NULL && lua_gethook(m) != NULL &&
      lua_gethook(m) != lua_gethook(L) && lua_gethookcount(m) == 1 &&
      (lua_gethookmask(m) & INTERRUPT_MASK) == INTERRUPT_MASK)
    luaL_error(L, "interrupted!");
}
