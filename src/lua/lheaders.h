/*
** Headers from and to Lua tables. Knows nothing of calls.
*/
#ifndef OFOX_LHEADERS_H
#define OFOX_LHEADERS_H

#include "lua/lcompat.h"
#include "wire/headers.h"
#include "wire/redact.h"

/* Pushes a userdata that owns empty headers: only after lua_settop has fixed
** the arguments, or it would be taken for one. [-0, +1, e] */
struct ofox_headers *ofox_newheaders(lua_State *L);

/*
** Adds the headers at 'arg': nil, a map from name to text, number or a list
** of texts (of which the first counts), or a list of {name, value} or of
** lines "Name: value" (with or without their status line). Anything else is an
** argument error. The status of 'h' has no meaning. [-0, +0, e]
*/
void ofox_checkheaders(lua_State *L, int arg, struct ofox_headers *h);

/* Pushes a table lower-case name -> value (the first of duplicates), valid
** UTF-8, redacted ('r' may be NULL). [-0, +1, e] */
void ofox_pushheaders(lua_State *L, const struct ofox_headers *h,
                      struct ofox_redact *r);

/* Pushes the ratelimit table, or nil without such headers. [-0, +1, e] */
void ofox_pushratelimit(lua_State *L, const struct ofox_ratelimit *r);

#endif
