/*
** ofox.core: the parsers of times as Lua functions (core.parts).
*/
#include "lua/ltimes.h"

#include <math.h>

#include "base/times.h"
#include "lua/lofox.h"
#include "lua/lopen.h"

double ofox_checkmoment(lua_State *L, int arg) {
  double v = luaL_checknumber(L, arg);
  luaL_argcheck(L, v - v == 0, arg, "finite number expected");
  return v;
}

void ofox_pushseconds(lua_State *L, double v) {
  if (isnan(v))
    lua_pushnil(L);
  else
    lua_pushnumber(L, v);
}

/* A parser of times: text (and now) -> seconds or nil. */
static int read_time(lua_State *L, int (*f)(struct ofox_span s, double *out)) {
  double v = NAN;
  f(ofox_checkspan(L, 1), &v);
  ofox_pushseconds(L, v);
  return 1;
}

static int read_left(lua_State *L,
                     int (*f)(struct ofox_span s, double now, double *out)) {
  double v = NAN;
  f(ofox_checkspan(L, 1), ofox_checkmoment(L, 2), &v);
  ofox_pushseconds(L, v);
  return 1;
}

static int parts_seconds(lua_State *L) {
  return read_time(L, ofox_times_seconds);
}

static int parts_duration(lua_State *L) {
  return read_time(L, ofox_times_duration);
}

static int parts_date(lua_State *L) {
  return read_time(L, ofox_times_date);
}

static int parts_retry_after(lua_State *L) {
  return read_left(L, ofox_times_retry_after);
}

static int parts_reset(lua_State *L) {
  return read_left(L, ofox_times_reset);
}

static const luaL_Reg parts[] = {
    {"date", parts_date},       {"duration", parts_duration},
    {"reset", parts_reset},     {"retry_after", parts_retry_after},
    {"seconds", parts_seconds}, {NULL, NULL},
};

void ofox_open_times(lua_State *L) {
  ofox_setfuncs(L, parts);
}
