/*
** Whether a failed attempt is followed by another one: with which model, and
** after how long.
** Knows nothing of states; what it decides is carried out by call.c.
*/
#ifndef OFOX_NEXT_ATTEMPT_H
#define OFOX_NEXT_ATTEMPT_H

#include "call/state.h"

/*
** An attempt has failed with c->error; 'sent': a byte of its request has been
** sent. 1: another one follows c->plan.delay seconds after 'now'; 0: none,
** for '*reason'. Tells the account how the attempt has ended, and pays.
*/
int ofox_next_attempt_plan(struct ofox_call *c, int sent, double now,
                           double wall, enum ofox_reason *reason);

#endif
