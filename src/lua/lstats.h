/*
** The counters of a client as a Lua object.
*/
#ifndef OFOX_LSTATS_H
#define OFOX_LSTATS_H

#include "lua/lcompat.h"
#include "policy/stats.h"

struct ofox_lstats {
  struct ofox_stats stats;
  int gone; /* they were finalized: nothing may be counted any more */
};

/* The counters at 'i'; NULL: nil. [-0, +0, e] */
struct ofox_lstats *ofox_checkstats(lua_State *L, int i);

#endif
