/*
** ofox.core: the forms of calls that send files.
*/
#include "lua/lform.h"

#include <stdlib.h>

#include "call/failure.h"
#include "io/clocks.h"
#include "lua/lofox.h"

void ofox_lform_free(struct ofox_lcall *c) {
  if (c->form == NULL)
    return;
  ofox_form_free(c->form);
  free(c->form);
  c->form = NULL;
}

static struct ofox_lcall *check(lua_State *L) {
  return ofox_self(L, OFOX_CALL_T);
}

/* The call ends: its form cannot be sent. */
static void refuse(struct ofox_lcall *c, double now) {
  if (c->call.host != NULL)
    c->call.host->detach(&c->call);
  ofox_call_abort(&c->call, c->form->outcome, 0, now);
  ofox_failure_explain(&c->call, ofox_span_of(c->form->why));
  ofox_failure_param(&c->call, ofox_form_param(c->form));
}

int ofox_lform_check(lua_State *L, int arg, struct ofox_lcall *c) {
  if (c->form == NULL || ofox_form_check(c->form) == 0)
    return 1;
  refuse(c, luaL_optnumber(L, arg, ofox_clocks_now()));
  return 0;
}

/* The form of the call, which may be new. [-0, +0, e] */
static struct ofox_form *form_of(lua_State *L, struct ofox_lcall *c) {
  if (c->form == NULL) {
    c->form = malloc(sizeof(*c->form));
    ofox_checkmemory(L, c->form == NULL);
    ofox_form_init(c->form);
  }
  return c->form;
}

/* call:form(): it sends a form, which may stay empty */
static int call_form(lua_State *L) {
  form_of(L, check(L));
  return 0;
}

/* call:part(name, bytes [, filename, type]) */
static int call_part(lua_State *L) {
  struct ofox_lcall *c = check(L);
  const char *name = luaL_checkstring(L, 2);
  struct ofox_span bytes = ofox_checkspan(L, 3);
  const char *filename = luaL_optstring(L, 4, NULL);
  const char *type = luaL_optstring(L, 5, NULL);
  ofox_checkmemory(
      L, ofox_form_bytes(form_of(L, c), name, filename, type, bytes));
  return 0;
}

/* call:file(name, path, filename, type, param): as it is now; whether it can
** be read, the first attempt tells. 'param': its name in err.param */
static int call_file(lua_State *L) {
  struct ofox_lcall *c = check(L);
  const char *name = luaL_checkstring(L, 2);
  const char *path = luaL_checkstring(L, 3);
  const char *filename = luaL_checkstring(L, 4);
  const char *type = luaL_checkstring(L, 5);
  const char *param = luaL_checkstring(L, 6);
  ofox_checkmemory(
      L, ofox_form_file(form_of(L, c), name, filename, type, path, param));
  return 0;
}

/* Pushes the content of a part; 0 and nothing: it cannot be read. [-0, +1, e]
 */
static int push_content(lua_State *L, struct ofox_lcall *c,
                        struct ofox_form_part *p) {
  long got = 1;
  char *to;
  ofox_buf_clear(&c->scratch);
  ofox_checkmemory(L, p->size > (size_t)-1 / 2 ||
                          ofox_buf_reserve(&c->scratch, (size_t)p->size) != 0);
  ofox_form_rewind(p);
  for (to = c->scratch.p; got > 0; to += got) {
    got = ofox_form_read(p, to, (size_t)p->size);
    c->scratch.n += got > 0 ? (size_t)got : 0;
  }
  if (got == 0)
    ofox_pushspan(L, ofox_buf_span(&c->scratch));
  return got == 0;
}

static void set_text(lua_State *L, const char *name, const char *text) {
  if (text == NULL)
    return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

/*
** call:parts(now) -> list of {name, content, filename, type} of the prepared
** attempt, for transports other than the engine; or nil: the call has ended,
** since a file is not as it was
*/
static int call_parts(lua_State *L) {
  struct ofox_lcall *c = check(L);
  double now = luaL_checknumber(L, 2);
  struct ofox_form_part *p;
  int n = 0, ok = 1;
  luaL_argcheck(L, c->form != NULL, 1, "it has no form");
  lua_newtable(L);
  for (p = c->form->first; ok && p != NULL; p = p->next) {
    lua_createtable(L, 0, 4);
    set_text(L, "name", p->name);
    set_text(L, "filename", p->filename);
    set_text(L, "type", p->type);
    ok = push_content(L, c, p);
    if (ok) {
      lua_setfield(L, -2, "content");
      lua_rawseti(L, -2, ++n);
    }
  }
  ofox_form_close(c->form);
  ofox_buf_free(&c->scratch);
  if (ok)
    return 1;
  refuse(c, now);
  return 0;
}

/* call:sends_form() -> boolean */
static int call_sends_form(lua_State *L) {
  lua_pushboolean(L, check(L)->form != NULL);
  return 1;
}

const luaL_Reg ofox_form_methods[] = {
    {"file", call_file},
    {"form", call_form},
    {"part", call_part},
    {"parts", call_parts},
    {"sends_form", call_sends_form},
    {NULL, NULL},
};
