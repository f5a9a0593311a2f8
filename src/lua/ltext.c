/*
** ofox.core: base64, UTF-8 and redaction as Lua functions (core.parts).
*/
#include "lua/ltext.h"

#include "base/base64.h"
#include "base/utf8.h"
#include "lua/lbuffer.h"
#include "lua/lofox.h"
#include "lua/lopen.h"
#include "wire/redact.h"

#define SECRETS_T "ofox.secrets"

void ofox_pushutf8(lua_State *L, struct ofox_span s) {
  struct ofox_buf *b;
  if (ofox_utf8_valid(s) == s.n) {
    ofox_pushspan(L, s);
    return;
  }
  b = ofox_newbuffer(L);
  ofox_checkresult(L, 1, ofox_utf8_clean(b, s));
  ofox_pushspan(L, ofox_buf_span(b));
  ofox_buf_free(b);
  lua_remove(L, -2);
}

static int parts_base64_encode(lua_State *L) {
  struct ofox_span in = ofox_checkspan(L, 1);
  struct ofox_buf *out = ofox_newbuffer(L);
  ofox_checkresult(L, 1, ofox_base64_encode(out, in));
  ofox_pushspan(L, ofox_buf_span(out));
  return 1;
}

static int parts_base64_decode(lua_State *L) {
  struct ofox_span in = ofox_checkspan(L, 1);
  struct ofox_buf *out = ofox_newbuffer(L);
  int rc = ofox_base64_decode(out, in);
  if (rc == OFOX_ESYNTAX) {
    lua_pushnil(L);
    lua_pushliteral(L, "not base64");
    return 2;
  }
  ofox_checkresult(L, 1, rc);
  ofox_pushspan(L, ofox_buf_span(out));
  return 1;
}

static int parts_utf8_clean(lua_State *L) {
  ofox_pushutf8(L, ofox_checkspan(L, 1));
  return 1;
}

static int parts_utf8_cut(lua_State *L) {
  struct ofox_span in = ofox_checkspan(L, 1);
  lua_Integer max = luaL_checkinteger(L, 2);
  ofox_pushspan(L, ofox_utf8_cut(in, max < 0 ? 0 : (size_t)max));
  return 1;
}

/* parts.redact(text, {secrets}) */
static int parts_redact(lua_State *L) {
  struct ofox_span text = ofox_checkspan(L, 1);
  struct ofox_redact *secrets;
  struct ofox_buf *out;
  size_t i, count;
  luaL_checktype(L, 2, LUA_TTABLE);
  secrets = ofox_newobject(L, SECRETS_T, sizeof(*secrets));
  ofox_redact_init(secrets);
  out = ofox_newbuffer(L);
  count = ofox_rawlen(L, 2);
  for (i = 1; i <= count; i++) {
    lua_rawgeti(L, 2, (int)i);
    ofox_checkresult(L, 2, ofox_redact_secret(secrets, ofox_checkspan(L, -1)));
    lua_pop(L, 1);
  }
  ofox_checkresult(L, 1, ofox_buf_addspan(out, text));
  ofox_checkresult(L, 1, ofox_redact_apply(secrets, out));
  ofox_pushspan(L, ofox_buf_span(out));
  return 1;
}

static const luaL_Reg parts[] = {
    {"base64_decode", parts_base64_decode},
    {"base64_encode", parts_base64_encode},
    {"redact", parts_redact},
    {"utf8_clean", parts_utf8_clean},
    {"utf8_cut", parts_utf8_cut},
    {NULL, NULL},
};

static int secrets_gc(lua_State *L) {
  ofox_redact_free(luaL_checkudata(L, 1, SECRETS_T));
  return 0;
}

void ofox_open_text(lua_State *L) {
  ofox_newclass(L, SECRETS_T, secrets_gc);
  ofox_setfuncs(L, parts);
}
