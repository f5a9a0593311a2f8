/*
** ofox.core: what accounts that several processes share ask a store, and hear
** from it.
*/
#include "call/sharing.h"

#include "lua/laccount.h"
#include "lua/lcall.h"
#include "lua/lofox.h"
#include "lua/lopen.h"

/* The account at 1. [-0, +0, e] */
static struct ofox_account *check(lua_State *L) {
  struct ofox_account *a;
  luaL_checkany(L, 1);
  a = ofox_optaccount(L, 1);
  luaL_argcheck(L, a != NULL, 1, "an account is expected");
  return a;
}

/* core.share(account, timeout): shares it with other processes, by a store
** that answers within so many seconds */
static int core_share(lua_State *L) {
  struct ofox_account *a = check(L);
  ofox_checkmemory(L, ofox_account_share(a, luaL_checknumber(L, 2)));
  return 0;
}

/*
** core.store_ask(call, now, starts) -> what the store is to be asked now, or
** nil: nothing; 'starts': the call is about to begin an attempt. After that,
** one of the functions below has to be called.
*/
static int core_store_ask(lua_State *L) {
  struct ofox_lcall *c = luaL_checkudata(L, 1, OFOX_CALL_T);
  double now = luaL_checknumber(L, 2);
  int rc;
  ofox_buf_clear(&c->scratch);
  rc = ofox_sharing_ask(&c->call, lua_toboolean(L, 3), now, &c->scratch);
  ofox_checkmemory(L, rc < 0 ? rc : 0);
  if (rc == 0)
    return 0;
  ofox_pushspan(L, ofox_buf_span(&c->scratch));
  return 1;
}

/* core.store_answer(account, text, now) -> boolean: it was one */
static int core_store_answer(lua_State *L) {
  struct ofox_account *a = check(L);
  struct ofox_span text = ofox_checkspan(L, 2);
  lua_pushboolean(L,
                  ofox_sharing_answer(a, text, luaL_checknumber(L, 3)) == 0);
  return 1;
}

/* core.store_failed(account, now) */
static int core_store_failed(lua_State *L) {
  ofox_sharing_failed(check(L), luaL_checknumber(L, 2));
  return 0;
}

static const luaL_Reg FUNCTIONS[] = {
    {"share", core_share},
    {"store_ask", core_store_ask},
    {"store_answer", core_store_answer},
    {"store_failed", core_store_failed},
    {NULL, NULL},
};

void ofox_open_sharing(lua_State *L) {
  ofox_setfuncs(L, FUNCTIONS);
}
