/*
** ofox.core: the parts that need no network.
*/
#include "lua/lofox.h"

#include <string.h>

#include "lua/lopen.h"
#include "lua/lpin.h"

OFOX_EXPORT int luaopen_ofox_core(lua_State *L);

/* [-0, +0, e] */
static void open_parts(lua_State *L) {
  lua_newtable(L);
  ofox_open_delta(L);
  ofox_open_headers(L);
  ofox_open_text(L);
  ofox_open_times(L);
  lua_setfield(L, -2, "parts");
}

int luaopen_ofox_core(lua_State *L) {
  lua_getglobal(L, "_VERSION");
  if (lua_isstring(L, -1) && strcmp(lua_tostring(L, -1), LUA_VERSION) != 0)
    return luaL_error(L, "ofox.core was built for %s, but this is %s",
                      LUA_VERSION, lua_tostring(L, -1));
  ofox_pin();
  lua_newtable(L);
  lua_pushliteral(L, OFOX_VERSION);
  lua_setfield(L, -2, "VERSION");
  ofox_open_buffers(L);
  ofox_open_account(L);
  ofox_open_limits(L);
  ofox_open_call(L);
  ofox_open_dialects(L);
  ofox_open_errors(L);
  ofox_open_floats(L);
  ofox_open_json(L);
  ofox_open_machine(L);
  ofox_open_retry(L);
  ofox_open_sharing(L);
  ofox_open_sse(L);
  ofox_open_stats(L);
  ofox_open_template(L);
  open_parts(L);
  return 1;
}
