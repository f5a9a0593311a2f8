#include "lofox.h"

void ofox_open_parts(lua_State *L) {
  (void)L;
}
