#include "call/ticket.h"

#include <stdlib.h>

struct ofox_ticket *ofox_ticket_take(struct ofox_call *c) {
  if (c->ticket != NULL)
    return c->ticket;
  c->ticket = calloc(1, sizeof(*c->ticket));
  if (c->ticket != NULL) {
    c->ticket->call = c;
    c->ticket->turn.order = c->arrival;
    c->ticket->price = OFOX_TICKET_UNPAID;
  }
  return c->ticket;
}
