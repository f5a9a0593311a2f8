/*
** ofox.core: what an event of a stream means (core.parts).
*/
#include "lua/lofox.h"

#include "lua/lopen.h"
#include "lua/lsettings.h"
#include "wire/content_text.h"
#include "wire/delta.h"
#include "wire/dialects/list.h"
#include "wire/error.h"

static const char *const KINDS[] = {"skip", "chunk", "end", "error", "broken"};

static void push_bits(lua_State *L, uint64_t bits) {
  int i, n = 0;
  lua_newtable(L);
  for (i = 0; i < 64; i++) {
    if (bits >> i & 1) {
      lua_pushinteger(L, i);
      lua_rawseti(L, -2, ++n);
    }
  }
}

/* Sets field "words" of the table on top. [-0, +0, e] */
static void set_words(lua_State *L, const struct ofox_delta *d) {
  struct ofox_content_text w;
  size_t most = 3 * d->text.raw.n; /* repair lengthens */
  ofox_content_text_init(&w, most);
  w.text.p = ofox_newuserdata(L, most);
  w.text._size = most;
  ofox_checkmemory(L, d->words(&w, d->text));
  ofox_checkmemory(L, ofox_content_text_end(&w));
  lua_pushlstring(L, w.text.p, w.text.n);
  lua_setfield(L, -3, "words");
  lua_pop(L, 1);
}

/*
** core.parts.delta(dialect, type, data) -> {kind, content, last, plain, text,
** words, begun, finished, part, fallback}: see delta.h; 'words' is the decoded
** text, if it consists of several pieces
*/
static int parts_delta(lua_State *L) {
  struct ofox_delta d;
  const struct ofox_dialect *dialect = ofox_checkdialect(L, 1);
  struct ofox_span type = ofox_checkspan(L, 2), data = ofox_checkspan(L, 3);
  ofox_delta_read(dialect, type, data, &d);
  lua_createtable(L, 0, 9);
  lua_pushstring(L, KINDS[d.kind]);
  lua_setfield(L, -2, "kind");
  lua_pushboolean(L, d.content);
  lua_setfield(L, -2, "content");
  lua_pushboolean(L, d.last);
  lua_setfield(L, -2, "last");
  lua_pushboolean(L, d.plain);
  lua_setfield(L, -2, "plain");
  if (d.text.type == OFOX_JSON_STRING) {
    lua_pushlstring(L, d.text.raw.p, d.text.raw.n);
    lua_setfield(L, -2, "text");
  }
  else if (d.text.type != OFOX_JSON_NONE) {
    set_words(L, &d);
  }
  push_bits(L, d.begun);
  lua_setfield(L, -2, "begun");
  push_bits(L, d.finished);
  lua_setfield(L, -2, "finished");
  lua_pushlstring(L, d.part.p, d.part.n);
  lua_setfield(L, -2, "part");
  lua_pushstring(L, ofox_classes[d.fallback].type);
  lua_setfield(L, -2, "fallback");
  return 1;
}

void ofox_open_delta(lua_State *L) {
  lua_pushcfunction(L, parts_delta);
  lua_setfield(L, -2, "delta");
}

/* Appends 'name' to the list on top, unless it is the last. [-0, +0, e] */
static void add_name(lua_State *L, const char *name) {
  size_t n = ofox_rawlen(L, -1);
  lua_pushstring(L, name);
  lua_rawgeti(L, -2, (int)n);
  if (lua_rawequal(L, -1, -2)) {
    lua_pop(L, 2);
    return;
  }
  lua_pop(L, 1);
  lua_rawseti(L, -2, (int)n + 1);
}

/* Sets core.dialects: the names of those whose answers are known, and
** core.usages: the members of answers that count tokens. [-0, +0, e] */
void ofox_open_dialects(lua_State *L) {
  const struct ofox_dialect *const *d;
  lua_newtable(L);
  for (d = ofox_dialects; *d != NULL; d++) {
    if ((*d)->due != NULL)
      add_name(L, (*d)->name);
  }
  lua_setfield(L, -2, "dialects");
  lua_newtable(L);
  for (d = ofox_dialects; *d != NULL; d++) {
    if ((*d)->due != NULL)
      add_name(L, (*d)->usage);
  }
  lua_setfield(L, -2, "usages");
}
