#include "lofox.h"

void ofox_open_errors(lua_State *L) {
  (void)L;
}
