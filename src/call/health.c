#include "call/health.h"

#include "call/account.h"
#include "call/ticket.h"

enum ofox_health ofox_health_of(const struct ofox_error *e) {
  if ((e->status >= 400 && e->status < 500) ||
      e->outcome == OFOX_OUTCOME_NO_DESCRIPTORS)
    return OFOX_HEALTH_UNKNOWN;
  switch (e->cls) {
  case OFOX_CLASS_INTERNAL:
  case OFOX_CLASS_UPSTREAM:
  case OFOX_CLASS_UNAVAILABLE:
  case OFOX_CLASS_TIMEOUT:
  case OFOX_CLASS_CONNECTION:
  case OFOX_CLASS_STREAM:
  case OFOX_CLASS_TLS:
  case OFOX_CLASS_RESPONSE:
    return OFOX_HEALTH_BAD;
  default:
    return OFOX_HEALTH_UNKNOWN;
  }
}

static int is_broken(const struct ofox_call *c) {
  return c->config->account != NULL && c->config->breaks;
}

static int is_budgeted(const struct ofox_call *c) {
  return c->config->account != NULL && c->config->budgets;
}

/* NULL: it has none. */
static struct ofox_breaker *breaker_of(const struct ofox_call *c) {
  return is_broken(c)
             ? ofox_breakers_find(&c->config->account->breakers, c->lane)
             : NULL;
}

int ofox_health_room(struct ofox_call *c) {
  return is_broken(c)
             ? ofox_breakers_add(&c->config->account->breakers, c->lane)
             : 0;
}

double ofox_health_next(const struct ofox_call *c, double now) {
  const struct ofox_breaker *b = breaker_of(c);
  return b != NULL ? ofox_breaker_next(b, now) : now;
}

int ofox_health_pay(struct ofox_call *c) {
  struct ofox_ticket *t;
  if (!is_budgeted(c))
    return 1;
  t = ofox_ticket_take(c);
  if (t == NULL)
    return OFOX_EMEM;
  return ofox_budget_pay(&c->config->account->budget,
                         c->error->cls == OFOX_CLASS_TIMEOUT, &t->price);
}

void ofox_health_started(struct ofox_call *c, double now) {
  struct ofox_breaker *b = breaker_of(c);
  if (b != NULL)
    ofox_breaker_started(b, &c->ticket->pass, now);
}

void ofox_health_ended(struct ofox_call *c, enum ofox_health health,
                       double now) {
  struct ofox_ticket *t = c->ticket;
  struct ofox_breaker *b = breaker_of(c);
  if (b != NULL && health == OFOX_HEALTH_UNKNOWN)
    ofox_breaker_left(b, &t->pass);
  else if (b != NULL)
    ofox_breaker_ended(b, &t->pass, health == OFOX_HEALTH_BAD, now);
  if (is_budgeted(c) && health == OFOX_HEALTH_GOOD)
    ofox_budget_succeeded(&c->config->account->budget, t->price);
  t->price = OFOX_TICKET_UNPAID;
}

void ofox_health_dropped(struct ofox_call *c) {
  if (is_budgeted(c))
    ofox_budget_return(&c->config->account->budget, c->ticket->price);
  c->ticket->price = OFOX_TICKET_UNPAID;
}
