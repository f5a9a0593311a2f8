#define _GNU_SOURCE /* dladdr, RTLD_NODELETE */
#include "lua/lpin.h"

#include <stddef.h>

#include <dlfcn.h>

void ofox_pin(void) {
  static const char here;
  Dl_info info;
  if (dladdr(&here, &info) != 0 && info.dli_fname != NULL)
    dlopen(info.dli_fname, RTLD_NOW | RTLD_NODELETE);
}
