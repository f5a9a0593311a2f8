#include "lofox.h"

void ofox_open_call(lua_State *L) {
  (void)L;
}
