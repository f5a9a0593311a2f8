#include "lofox.h"

void ofox_open_retry(lua_State *L) {
  (void)L;
}
