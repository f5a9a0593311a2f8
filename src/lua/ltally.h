/*
** A call and the counters of its client.
*/
#ifndef OFOX_LTALLY_H
#define OFOX_LTALLY_H

#include "call/call.h"
#include "call/tally.h"
#include "lua/lstats.h"

/* Counts the call from here on, by its tally 't', with the counters 's', if
** they are there (NULL: none). At 'models': the id of its model, a list of
** ids, one for each of its models, or anything else: they have no names.
** [-0, +0, e] */
void ofox_tally_join(lua_State *L, struct ofox_call *c, struct ofox_tally *t,
                     struct ofox_lstats *s, int models);

/* Methods of calls. */
extern const luaL_Reg ofox_tally_methods[];

#endif
