/*
** How to make a table again and again that differs in a few strings or numbers
** only: a plan of it, which is made once, is followed quicker than JSON is
** read. Plans never change: one can be dropped while it is followed.
** Knows nothing of events, nor of when a plan is worth its making.
*/
#ifndef OFOX_LPLAN_H
#define OFOX_LPLAN_H

#include "base/buf.h"
#include "lua/lcompat.h"

#define OFOX_PLAN_HOLES 4 /* places at most where the tables differ */

/*
** How a hole has to be filled in the two texts that a plan is made of: with
** what stands in no other hole, and in none of the other text. 'like' is what
** may stand there else, in JSON.
*/
struct ofox_span ofox_plan_filling(struct ofox_span like, int hole,
                                   int second);

/*
** Pushes the plan of the tables at 'a' and 'b', which were decoded from the
** two texts, and the list of its constants; or two times nil: there is none.
** [-0, +2, e]
*/
void ofox_plan_push(lua_State *L, int a, int b);

/* Pushes the table of the plan and the constants at these places, with the
** values of the holes in JSON, which stay where they are. [-0, +1, e] */
void ofox_plan_follow(lua_State *L, int plan, int constants,
                      const struct ofox_span *holes);

#endif
