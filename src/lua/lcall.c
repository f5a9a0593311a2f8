/*
** ofox.core: a call as a Lua object. The engine's binding and the mock drive
** the same object; see call.h for its states.
*/
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "lua/ldecode.h"
#include "lua/lerrors.h"
#include "call/failure.h"
#include "call/gate.h"
#include "lua/lcall.h"
#include "lua/levents.h"
#include "lua/lheaders.h"
#include "lua/lofox.h"
#include "lua/lopen.h"
#include "lua/ltally.h"

static const char *const STATES[] = {"ready", "flight", "wait", "done", NULL};

static struct ofox_lcall *check(lua_State *L) {
  return ofox_self(L, OFOX_CALL_T);
}

static int call_gc(lua_State *L) {
  struct ofox_lcall *c = luaL_checkudata(L, 1, OFOX_CALL_T);
  ofox_call_free(&c->call);
  ofox_lcall_free(c);
  return 0;
}

/* call:state() -> "ready", "flight", "wait", "done", or "events" while there
** are events to take */
static int call_state(lua_State *L) {
  struct ofox_call *c = &check(L)->call;
  lua_pushstring(L, ofox_event_queue_has_event(c->response.events)
                        ? "events"
                        : STATES[c->state]);
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
  lua_pushboolean(L, ofox_call_aside(&check(L)->call, luaL_checknumber(L, 2)));
  return 1;
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

/* Pushes the text as valid UTF-8, redacted. [-0, +1, e] */
static void push_clean(lua_State *L, struct ofox_lcall *c, struct ofox_span s,
                       size_t max) {
  struct ofox_span out;
  ofox_buf_clear(&c->scratch);
  ofox_checkmemory(L, ofox_utf8_clean(&c->scratch, s));
  ofox_checkmemory(L, ofox_redact_apply(&c->call.secrets, &c->scratch));
  out = ofox_utf8_cut(ofox_buf_span(&c->scratch), max);
  lua_pushlstring(L, out.p, out.n);
}

/* call:clean(text) -> redacted text */
static int call_clean(lua_State *L) {
  struct ofox_lcall *c = check(L);
  push_clean(L, c, ofox_checkspan(L, 2), (size_t)-1);
  return 1;
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

/* Pushes the list of earlier attempts; 'model' is an index. [-0, +1, e] */
static void push_retries(lua_State *L, const struct ofox_call *c) {
  const struct ofox_history *h = &c->history;
  size_t i, n = ofox_history_count(h);
  lua_createtable(L, (int)n, 0);
  for (i = 0; i < n; i++) {
    const struct ofox_attempt *a = ofox_history_at(h, i);
    struct ofox_span code = ofox_history_code(h, a);
    struct ofox_span id = ofox_history_request_id(h, a);
    lua_createtable(L, 0, 8);
    lua_pushstring(L, ofox_classes[a->cls].type);
    lua_setfield(L, -2, "type");
    if (code.n > 0) {
      lua_pushlstring(L, code.p, code.n);
      lua_setfield(L, -2, "code");
    }
    if (id.n > 0) {
      lua_pushlstring(L, id.p, id.n);
      lua_setfield(L, -2, "request_id");
    }
    if (a->status != 0) {
      lua_pushinteger(L, a->status);
      lua_setfield(L, -2, "status");
    }
    lua_pushnumber(L, a->delay);
    lua_setfield(L, -2, "delay");
    lua_pushstring(L, ofox_source_name(a->source));
    lua_setfield(L, -2, "delay_source");
    lua_pushnumber(L, a->elapsed);
    lua_setfield(L, -2, "elapsed");
    lua_pushinteger(L, a->model + 1);
    lua_setfield(L, -2, "model");
    lua_rawseti(L, -2, (int)i + 1);
  }
}

/* Adds to the table on top what is known of the response apart from its body.
** [-0, +0, e] */
static void add_response(lua_State *L, struct ofox_lcall *c, double wall) {
  struct ofox_ratelimit limits;
  struct ofox_call *call = &c->call;
  if (call->response.head.complete) {
    lua_pushinteger(L, call->response.head.status);
    lua_setfield(L, -2, "status");
    ofox_pushheaders(L, &call->response.head, &call->secrets);
    lua_setfield(L, -2, "headers");
    ofox_headers_ratelimit(&call->response.head, wall, &limits);
    ofox_pushratelimit(L, &limits);
    lua_setfield(L, -2, "ratelimit");
  }
  if (!call->failed) { /* for a success it is computed on request */
    ofox_failure_request_id(call);
    ofox_checkmemory(L, call->no_memory);
  }
  if (call->request_id.n > 0) {
    push_clean(L, c, ofox_buf_span(&call->request_id), OFOX_CODE_CAP);
    lua_setfield(L, -2, "request_id");
  }
}

/* Adds the visible part of a failure's body to the table on top. [-0, +0, e]
 */
static void add_body(lua_State *L, struct ofox_lcall *c) {
  const struct ofox_response *r = &c->call.response;
  struct ofox_span body =
      ofox_buf_span(r->events->broken ? &r->events->failure : &r->body);
  if (!r->head.complete || body.n == 0)
    return;
  /* it is redacted already; a long one is truncated */
  push_clean(L, c, ofox_utf8_cut(body, OFOX_BODY_CAP), OFOX_BODY_CAP);
  lua_setfield(L, -2, "body");
}

/* Adds the progress of the call to the table on top. [-0, +0, e] */
static void add_progress(lua_State *L, const struct ofox_call *call,
                         double ended) {
  lua_pushinteger(L, call->attempts);
  lua_setfield(L, -2, "attempts");
  lua_pushnumber(L, ended - call->clock.call_began);
  lua_setfield(L, -2, "elapsed");
  push_retries(L, call);
  lua_setfield(L, -2, "retries");
}

/* Adds when to retry to the table on top. [-0, +0, e] */
static void add_delay(lua_State *L, double delay, double wall) {
  lua_pushnumber(L, delay);
  lua_setfield(L, -2, "retry_after");
  lua_pushnumber(L, wall + delay);
  lua_setfield(L, -2, "retry_at");
}

/* call:failure(wall) -> fields of the current failure, or nil */
static int call_failure(lua_State *L) {
  struct ofox_lcall *c = check(L);
  struct ofox_call *call = &c->call;
  double wall = luaL_checknumber(L, 2);
  ofox_checkmemory(L, call->no_memory | call->response.no_memory);
  if (!call->failed)
    return 0;
  ofox_pusherror(L, ofox_call_error(call));
  if (call->cause == NULL) {
    add_response(L, c, wall);
    add_body(L, c);
  }
  add_progress(L, call, call->ended);
  lua_pushboolean(L, call->ambiguous);
  lua_setfield(L, -2, "ambiguous");
  if (call->reason != OFOX_REASON_NONE) {
    lua_pushstring(L, ofox_reason_name(call->reason));
    lua_setfield(L, -2, "reason");
  }
  if (ofox_call_error(call)->retryable)
    add_delay(L, call->plan.delay, wall);
  return 1;
}

/* call:cause() -> the same of the failed attempt before the call was ended
** from outside, or nil */
static int call_cause(lua_State *L) {
  struct ofox_lcall *c = check(L);
  struct ofox_call *call = &c->call;
  if (call->cause == NULL)
    return 0;
  ofox_pusherror(L, call->cause);
  add_response(L, c, call->wall);
  add_body(L, c);
  add_progress(L, call, call->cause_ended);
  lua_pushboolean(L, call->cause_ambiguous);
  lua_setfield(L, -2, "ambiguous");
  add_delay(L, call->cause_delay, call->wall);
  return 1;
}

/* call:failed() -> boolean: there is a current failure */
static int call_failed(lua_State *L) {
  struct ofox_call *c = &check(L)->call;
  ofox_checkmemory(L, c->no_memory | c->response.no_memory);
  lua_pushboolean(L, c->failed);
  return 1;
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
  size_t pos;
  int rc = OFOX_DECODED;
  if (body.n == 0)
    lua_newtable(L);
  else
    rc = ofox_decode(L, body, 0, &pos);
  if (rc < OFOX_DECODED) {
    lua_pushnil(L);
    ofox_pushbroken(L, body, rc, pos);
  }
  else {
    ofox_tally_answer(L, &c->call);
  }
  ofox_buf_free(&c->answer);
  return rc < OFOX_DECODED ? 2 : 1;
}

/* call:meta(wall, now) -> what is known about it apart from its body; for a
** call that is not done, at that time */
static int call_meta(lua_State *L) {
  struct ofox_lcall *c = check(L);
  struct ofox_call *call = &c->call;
  double wall = luaL_checknumber(L, 2), now = luaL_checknumber(L, 3);
  if (call->wall > 0)
    wall = call->wall;
  lua_createtable(L, 0, 8);
  add_response(L, c, wall);
  add_progress(L, call, call->state == OFOX_DONE ? call->ended : now);
  if (call->clock.answered) {
    lua_pushnumber(L, call->clock.answer_at - call->clock.call_began);
    lua_setfield(L, -2, "first_byte");
  }
  return 1;
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
    {"clean", call_clean},         {"announce", call_announce},
    {"veto", call_veto},           {"postpone", call_postpone},
    {"progress", call_progress},   {"failure", call_failure},
    {"failed", call_failed},       {"cause", call_cause},
    {"reply", call_reply},         {"meta", call_meta},
    {"release", call_release},     {NULL, NULL},
};

void ofox_open_call(lua_State *L) {
  luaL_newmetatable(L, OFOX_CALL_T);
  lua_pushcfunction(L, call_gc);
  lua_setfield(L, -2, "__gc");
  lua_newtable(L);
  ofox_setmethods(L, lua_gettop(L) - 1, METHODS);
  ofox_setmethods(L, lua_gettop(L) - 1, ofox_event_methods);
  ofox_setmethods(L, lua_gettop(L) - 1, ofox_attempt_methods);
  ofox_setmethods(L, lua_gettop(L) - 1, ofox_tally_methods);
  ofox_setmethods(L, lua_gettop(L) - 1, ofox_tape_methods);
  ofox_tally_setmethod(L, lua_gettop(L) - 1, "decoded", call_decoded);
  ofox_tally_setmethod(L, lua_gettop(L) - 1, "used", ofox_tally_call_used);
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
  ofox_setfuncs(L, ofox_attempt_functions);
}
