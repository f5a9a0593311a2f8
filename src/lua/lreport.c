/*
** ofox.core: what a call says of itself: its failure, the one before, its
** meta.
*/
#include <math.h>

#include "base/utf8.h"
#include "call/failure.h"
#include "lua/lcall.h"
#include "lua/lerrors.h"
#include "lua/lheaders.h"
#include "lua/lofox.h"

static struct ofox_lcall *check(lua_State *L) {
  return ofox_self(L, OFOX_CALL_T);
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

/* Adds when to retry, if that is known, to the table on top. [-0, +0, e] */
static void add_delay(lua_State *L, double delay, double wall) {
  if (isnan(delay))
    return;
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

const luaL_Reg ofox_report_methods[] = {
    {"cause", call_cause},     {"clean", call_clean}, {"failed", call_failed},
    {"failure", call_failure}, {"meta", call_meta},   {NULL, NULL},
};
