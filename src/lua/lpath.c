#include "lua/lpath.h"

#include "base/utf8.h"
#include "lua/lnumber.h"

#define ENOUGH 128 /* bytes: a longer path is truncated */
#define KEY_MAX 64 /* bytes of one key in it; repair may triple them */

static int is_name(const char *s, size_t n) {
  size_t i;
  for (i = 0; i < n; i++) {
    if (s[i] != '_' &&
        !(ofox_tolower(s[i]) >= 'a' && ofox_tolower(s[i]) <= 'z') &&
        !(i > 0 && ofox_isdigit(s[i])))
      return 0;
  }
  return n > 0;
}

/* 'out' has room for it. */
static void put_key(struct ofox_buf *out, struct ofox_span key) {
  size_t i;
  key = ofox_utf8_cut(key, KEY_MAX);
  if (is_name(key.p, key.n)) {
    if (out->n > 0)
      (void)ofox_buf_addc(out, '.');
    (void)ofox_buf_addspan(out, key);
    return;
  }
  (void)ofox_buf_adds(out, "[\"");
  i = out->n;
  (void)ofox_utf8_clean(out, key);
  for (; i < out->n; i++) {
    if ((unsigned char)out->p[i] < ' ' || out->p[i] == 0x7F)
      out->p[i] = '?';
  }
  (void)ofox_buf_adds(out, "\"]");
}

void ofox_putpath(lua_State *L, struct ofox_buf *out, int first, int last) {
  struct ofox_span key;
  int i;
  for (i = first; i <= last && out->n < ENOUGH; i += 2) {
    if (lua_type(L, i) == LUA_TSTRING) {
      key.p = lua_tolstring(L, i, &key.n);
      put_key(out, key);
      continue;
    }
    (void)ofox_buf_addc(out, '[');
    (void)ofox_putnumber(L, out, i);
    (void)ofox_buf_addc(out, ']');
  }
  if (i <= last)
    (void)ofox_buf_adds(out, "...");
}
