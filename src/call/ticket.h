/*
** What a call has from its account: its place in the queue, and what its
** attempt has taken and gives back at its end. There once the account has had
** anything to say to the call. For gate.c and health.c.
*/
#ifndef OFOX_TICKET_H
#define OFOX_TICKET_H

#include "call/state.h"
#include "policy/breaker.h"
#include "policy/pace.h"
#include "policy/turns.h"

#define OFOX_TICKET_UNPAID (-1)

struct ofox_ticket {
  struct ofox_turn turn; /* comes first: both have the same address */
  struct ofox_call *call;
  uint32_t waits;        /* the lane in which it waits; see 'turn' */
  unsigned long process; /* in which it does; see ofox_account_enter */
  double ready;          /* since when its turn has come, while it waits */
  int price; /* of the retry that is to come or on its way, or UNPAID */
  /* Of the attempt on its way: */
  int started;
  unsigned probe_of_all, probe;
  struct ofox_pace_start pace;
  struct ofox_breaker_pass pass;
};

/* The ticket, from now on; NULL: there is no memory. */
struct ofox_ticket *ofox_ticket_take(struct ofox_call *c);

#endif
