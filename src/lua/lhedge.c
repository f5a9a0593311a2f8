/*
** ofox.core: the hedge of a call as Lua sees it; see call/hedge.h.
*/
#include "call/hedge.h"
#include "lua/lcall.h"
#include "lua/lofox.h"

static struct ofox_lcall *check(lua_State *L, int arg) {
  return luaL_checkudata(L, arg, OFOX_CALL_T);
}

/* call:twin(now, own) -> a second call for the same, whose attempt is not
** prepared yet; nil: it may not begin now, or is not wanted any more. 'own':
** it asks the last of the models, if that is one for hedges. */
static int call_twin(lua_State *L) {
  struct ofox_lcall *c = check(L, 1), *twin;
  double now = luaL_checknumber(L, 2);
  c->call.news = 0;
  if (!ofox_hedge_is_wanted(&c->call) || c->form != NULL)
    return 0; /* a form is read from the disk, by one attempt at a time */
  twin = ofox_pushcall(L, 1, c->template, now);
  ofox_checkmemory(
      L, ofox_hedge_inherit(&twin->call, &c->call, (int)c->call.hedge_model));
  ofox_checkmemory(L, ofox_attempt_copy(twin, c));
  ofox_checkmemory(L, ofox_tally_twin(&twin->call, &twin->tally, &c->call));
  return ofox_hedge_may_begin(&twin->call, now);
}

/* call:pair(twin) -> boolean: the transport must start the twin, which has
 ** been prepared; false: the call does not want one any more */
static int call_pair(lua_State *L) {
  struct ofox_call *c = &check(L, 1)->call, *twin = &check(L, 2)->call;
  int wanted = c != twin && twin->twin == NULL && ofox_hedge_is_wanted(c);
  if (wanted)
    ofox_hedge_join(c, twin);
  lua_pushboolean(L, wanted);
  return 1;
}

/* call:alone(twin) -> true: the call goes on alone; false: the twin does; nil:
** both are on their way */
static int call_alone(lua_State *L) {
  int alone = ofox_hedge_alone(&check(L, 1)->call, &check(L, 2)->call);
  if (alone == 0)
    return 0;
  lua_pushboolean(L, alone > 0);
  return 1;
}

/* call:settle(other, now): it goes on without the other of the pair, which the
** transport must cancel */
static int call_settle(lua_State *L) {
  ofox_checkmemory(L, ofox_hedge_settle(&check(L, 1)->call, &check(L, 2)->call,
                                        luaL_checknumber(L, 3)));
  return 0;
}

const luaL_Reg ofox_hedge_methods[] = {
    {"twin", call_twin},     {"pair", call_pair}, {"alone", call_alone},
    {"settle", call_settle}, {NULL, NULL},
};
