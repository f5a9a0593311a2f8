/*
** ofox.core: a call as a Lua object. The engine's binding and the mock drive
** the same object; see call.h for its states.
*/
#include <math.h>

#include "call/gate.h"
#include "call/used.h"
#include "lua/lcall.h"
#include "lua/lerrors.h"
#include "lua/ldecode.h"
#include "lua/levents.h"
#include "lua/lofox.h"
#include "lua/lopen.h"
#include "lua/ltally.h"

static const char *const STATES[] = {"ready", "flight", "wait", "done", NULL};

static struct ofox_lcall *check(lua_State *L) {
  return ofox_self(L, OFOX_CALL_T);
}

static int call_gc(lua_State *L) {
  struct ofox_lcall *c = check(L);
  ofox_call_free(&c->call);
  ofox_lcall_free(c);
  return 0;
}

/* call:state() -> "ready", "flight", "wait", "done"; "events" while there are
** events to take; "hedge" if a hedge is due, or one of a pair has news */
static int call_state(lua_State *L) {
  struct ofox_call *c = &check(L)->call;
  const char *state = STATES[c->state];
  if (ofox_event_queue_has_event(c->response.events))
    state = "events";
  else if (c->news && c->state != OFOX_DONE)
    state = "hedge";
  lua_pushstring(L, state);
  return 1;
}

/* call:watch() -> what a transport's news() returns when the state of the call
** changes next or events arrive */
static int call_watch(lua_State *L) {
  struct ofox_call *c = &check(L)->call;
  ofox_note_watch(&c->note);
  lua_pushlightuserdata(L, &c->note);
  return 1;
}

/* call:told() -> the same if there was news since watch(), else nil: once;
** for transports that collect no notes */
static int call_told(lua_State *L) {
  struct ofox_call *c = &check(L)->call;
  if (!c->note.told)
    return 0;
  c->note.told = 0;
  lua_pushlightuserdata(L, &c->note);
  return 1;
}

/* call:begin(now) -> boolean: an attempt must be sent */
static int call_begin(lua_State *L) {
  struct ofox_call *c = &check(L)->call;
  double now = luaL_checknumber(L, 2);
  luaL_argcheck(L, c->state == OFOX_READY, 1, "the call is not ready");
  lua_pushboolean(L, ofox_call_begin(c, now) == 0);
  return 1;
}

/* call:connected(reused, now) */
static int call_connected(lua_State *L) {
  ofox_call_connected(&check(L)->call, lua_toboolean(L, 2),
                      luaL_checknumber(L, 3));
  return 0;
}

/* call:head(line, now) -> boolean: continue */
static int call_head(lua_State *L) {
  struct ofox_call *c = &check(L)->call;
  struct ofox_span s = ofox_checkspan(L, 2);
  int rc = ofox_call_head(c, s.p, s.n, luaL_checknumber(L, 3));
  lua_pushboolean(L, rc == 0);
  return 1;
}

/* call:body(bytes, now) -> boolean: continue */
static int call_body(lua_State *L) {
  struct ofox_call *c = &check(L)->call;
  struct ofox_span s = ofox_checkspan(L, 2);
  int rc = ofox_call_body(c, s.p, s.n, luaL_checknumber(L, 3));
  lua_pushboolean(L, rc == 0 && c->state == OFOX_FLIGHT);
  return 1;
}

static enum ofox_outcome check_outcome(lua_State *L, int arg) {
  return (enum ofox_outcome)luaL_checkoption(L, arg, ofox_outcome_names[0],
                                             ofox_outcome_names);
}

/* call:finish([outcome [, sent, now, wall, detail]]) */
static int call_finish(lua_State *L) {
  struct ofox_call *c = &check(L)->call;
  struct ofox_span detail;
  enum ofox_outcome outcome = check_outcome(L, 2);
  detail.p = luaL_optlstring(L, 6, "", &detail.n);
  ofox_call_end(c, outcome, lua_toboolean(L, 3), detail,
                luaL_checknumber(L, 4), luaL_checknumber(L, 5));
  return 0;
}

/* call:abort(outcome, now): done, with that failure, without an attempt */
static int call_abort(lua_State *L) {
  struct ofox_call *c = &check(L)->call;
  enum ofox_outcome outcome = check_outcome(L, 2);
  double now = luaL_checknumber(L, 3);
  if (c->host != NULL)
    c->host->detach(c);
  ofox_call_abort(c, outcome, 0, now);
  return 0;
}

/* call:due() -> when it must be checked, or nil */
static int call_due(lua_State *L) {
  double due = ofox_call_due(&check(L)->call);
  if (!(due < INFINITY))
    return 0;
  lua_pushnumber(L, due);
  return 1;
}

/* call:aside(now) -> boolean: it has left its place among those that wait */
static int call_aside(lua_State *L) {
  enum ofox_outcome why;
  if (!ofox_call_aside(&check(L)->call, &why, luaL_checknumber(L, 2)))
    return 0;
  lua_pushstring(L, ofox_outcomes[why].code);
  lua_pushstring(L, ofox_outcomes[why].message);
  return 2;
}

/* call:rejoin(now): back to its place */
static int call_rejoin(lua_State *L) {
  ofox_call_rejoin(&check(L)->call, luaL_checknumber(L, 2));
  return 0;
}

/* call:expects(now) -> when its wait will end by what is known now, or nil */
static int call_expects(lua_State *L) {
  double at = ofox_gate_expects(&check(L)->call, luaL_checknumber(L, 2));
  if (!(at < INFINITY))
    return 0;
  lua_pushnumber(L, at);
  return 1;
}

/* call:expired(now) -> name of the outcome whose limit has expired, or nil */
static int call_expired(lua_State *L) {
  enum ofox_outcome o =
      ofox_call_expired(&check(L)->call, luaL_checknumber(L, 2));
  if (o == OFOX_OUTCOME_ANSWERED)
    return 0;
  lua_pushstring(L, ofox_outcome_names[o]);
  return 1;
}

static int call_tick(lua_State *L) {
  ofox_call_tick(&check(L)->call, luaL_checknumber(L, 2));
  return 0;
}

/* call:secret(text): redacted in everything the call returns */
static int call_secret(lua_State *L) {
  ofox_addsecret(L, 2, &check(L)->call.secrets);
  return 0;
}

/*
** call:announce() -> delay, attempt, source of a planned attempt that the
** caller was not notified of yet, or nothing
*/
static int call_announce(lua_State *L) {
  struct ofox_call *c = &check(L)->call;
  if (!c->announce)
    return 0;
  c->announce = 0;
  lua_pushnumber(L, c->plan.delay);
  lua_pushinteger(L, c->attempts);
  lua_pushstring(L, ofox_source_name(c->source));
  return 3;
}

static int call_veto(lua_State *L) {
  ofox_call_veto(&check(L)->call);
  return 0;
}

static int call_postpone(lua_State *L) {
  ofox_call_postpone(&check(L)->call, luaL_checknumber(L, 2));
  return 0;
}

/* call:progress() -> attempts begun, index of the model from 1 */
static int call_progress(lua_State *L) {
  struct ofox_call *c = &check(L)->call;
  lua_pushinteger(L, c->attempts);
  lua_pushinteger(L, c->model + 1);
  return 2;
}

/* Takes the body out of the call, and drops what it sent. The buffer stays
** reserved until it is released: any allocation in Lua may run finalizers.
** [-0, +0, v] */
static struct ofox_span take_answer(lua_State *L, struct ofox_lcall *c) {
  struct ofox_buf *body = &c->call.response.body;
  luaL_argcheck(L, c->call.state == OFOX_DONE, 1, "the call is not done");
  luaL_argcheck(L, c->answer.p == NULL, 1, "its answer is being read");
  c->answer = *body;
  ofox_buf_init(body, body->cap);
  ofox_lcall_forget(c);
  return ofox_buf_span(&c->answer);
}

/* call:reply() -> body bytes; the call drops them, and what it sent */
static int call_reply(lua_State *L) {
  struct ofox_lcall *c = check(L);
  ofox_pushspan(L, take_answer(L, c));
  ofox_buf_free(&c->answer);
  return 1;
}

/* call:decoded() -> value of the body, which the call drops, with what it
** sent; or nil and a message: it is not JSON. An empty body is an empty
** table. */
static int call_decoded(lua_State *L) {
  struct ofox_lcall *c = check(L);
  struct ofox_span body = take_answer(L, c);
  struct ofox_usage used = {NAN, NAN, NAN, NAN};
  size_t pos;
  int rc = OFOX_DECODED;
  if (body.n == 0)
    lua_newtable(L);
  else
    rc = ofox_decode_answer(L, body, &used, &pos);
  if (rc < OFOX_DECODED) {
    lua_pushnil(L);
    ofox_pushbroken(L, body, rc, pos);
  }
  else {
    ofox_used(&c->call, &used);
  }
  ofox_buf_free(&c->answer);
  return rc < OFOX_DECODED ? 2 : 1;
}

/* call:release(): finally done; keeps what it knows, not what it sent */
static int call_release(lua_State *L) {
  struct ofox_lcall *c = check(L);
  luaL_argcheck(L, c->call.state == OFOX_DONE, 1, "the call is not done");
  ofox_lcall_forget(c);
  return 0;
}

static const luaL_Reg METHODS[] = {
    {"state", call_state},         {"watch", call_watch},
    {"told", call_told},           {"begin", call_begin},
    {"connected", call_connected}, {"head", call_head},
    {"body", call_body},           {"finish", call_finish},
    {"abort", call_abort},         {"due", call_due},
    {"aside", call_aside},         {"rejoin", call_rejoin},
    {"expects", call_expects},     {"expired", call_expired},
    {"tick", call_tick},           {"secret", call_secret},
    {"announce", call_announce},   {"veto", call_veto},
    {"postpone", call_postpone},   {"progress", call_progress},
    {"reply", call_reply},         {"decoded", call_decoded},
    {"release", call_release},     {NULL, NULL},
};

void ofox_open_call(lua_State *L) {
  luaL_newmetatable(L, OFOX_CALL_T);
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, call_gc, 1);
  lua_setfield(L, -2, "__gc");
  lua_newtable(L);
  ofox_setmethods(L, lua_gettop(L) - 1, METHODS);
  ofox_setmethods(L, lua_gettop(L) - 1, ofox_event_methods);
  ofox_setmethods(L, lua_gettop(L) - 1, ofox_attempt_methods);
  ofox_setmethods(L, lua_gettop(L) - 1, ofox_hedge_methods);
  ofox_setmethods(L, lua_gettop(L) - 1, ofox_report_methods);
  ofox_setmethods(L, lua_gettop(L) - 1, ofox_form_methods);
  ofox_setmethods(L, lua_gettop(L) - 1, ofox_tally_methods);
  ofox_setmethods(L, lua_gettop(L) - 1, ofox_tape_methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  /* the engine is a module of its own and checks that both agree */
  lua_pushnumber(L, (lua_Number)sizeof(struct ofox_lcall));
  lua_setfield(L, -2, "call_size");
  lua_pushinteger(L, OFOX_MAX_EVENT);
  lua_setfield(L, -2, "MAX_EVENT_BYTES");
  lua_pushinteger(L, OFOX_MAX_RETRIES);
  lua_setfield(L, -2, "MAX_RETRIES");
  lua_pushinteger(L, OFOX_MAX_RESPONSE);
  lua_setfield(L, -2, "MAX_RESPONSE_BYTES");
  luaL_newmetatable(L, OFOX_TEMPLATE_T);
  lua_insert(L, -2);
  ofox_setmethods(L, lua_gettop(L) - 1, ofox_attempt_functions);
  lua_remove(L, -2);
}
