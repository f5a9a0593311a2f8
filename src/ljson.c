#include "lofox.h"

void ofox_open_json(lua_State *L) {
  (void)L;
}
