/*
** Creates tables repeatedly that differ only in a few strings or numbers: a
** plan, made once, is executed faster than JSON is decoded. Plans never
** change: one can be dropped while it is executed.
** Knows nothing of events, nor of when a plan is worthwhile.
*/
#ifndef OFOX_LPLAN_H
#define OFOX_LPLAN_H

#include "base/buf.h"
#include "lua/lcompat.h"

#define OFOX_PLAN_HOLES 4 /* most places where the tables may differ */

/*
** How to fill a hole in the two texts that a plan is made from: with a value
** that is in no other hole, and not in the other text. 'like' is the original
** value, in JSON.
*/
struct ofox_span ofox_plan_filling(struct ofox_span like, int hole,
                                   int second);

/*
** Pushes the plan of the tables at 'a' and 'b', which were decoded from the
** two texts, and the list of its constants; or nil twice: there is none.
** [-0, +2, e]
*/
void ofox_plan_push(lua_State *L, int a, int b);

/* Pushes the table created by the plan and the constants at these indices,
** with the values of the holes in JSON, which must stay in place.
** [-0, +1, e] */
void ofox_plan_follow(lua_State *L, int plan, int constants,
                      const struct ofox_span *holes);

#endif
