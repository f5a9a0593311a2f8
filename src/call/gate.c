#include "call/gate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "call/account.h"
#include "call/quota_words.h"
#include "call/ticket.h"

#define STUCK                                                                 \
  1.0             /* seconds after which one that does not go lets others go  \
                   */
#define NEAR 1.0  /* seconds until a hold ends: moments are leased before */
#define CLOSE 0.1 /* seconds by which a hold may differ from what is known */

static struct ofox_call *call_of(struct ofox_turn *turn) {
  return ((struct ofox_ticket *)(void *)turn)->call;
}

/* Does it wait in the queue? */
static int waits(const struct ofox_call *c) {
  return c->ticket != NULL && ofox_turns_waits(&c->ticket->turn) &&
         c->ticket->process == c->config->account->process;
}

static double later(double a, double b) {
  return a > b ? a : b;
}

static double patience(const struct ofox_call *c) {
  return c->config->policy.max_server_delay;
}

static int is_paced(const struct ofox_call *c, const struct ofox_lane *l) {
  const struct ofox_account *a = c->config->account;
  return l == &a->all && a->paces && c->config->paces;
}

/* Does it share its pace with other processes? */
static int is_leased(const struct ofox_call *c, const struct ofox_lane *l) {
  return is_paced(c, l) && c->config->account->lease != NULL &&
         ofox_pace_is_rated(&c->config->account->pace);
}

/* When a call may start if it is the next of the lane. */
static double next_of(const struct ofox_call *c, const struct ofox_lane *l,
                      double now) {
  double at = now;
  if (c->config->holds)
    at = ofox_hold_next(&l->hold, now, patience(c));
  if (is_paced(c, l))
    at = later(
        at, ofox_pace_next(&c->config->account->pace, now, (double)c->tokens));
  return is_leased(c, l) && at < INFINITY
             ? ofox_lease_next(c->config->account->lease, at)
             : at;
}

/* When it will start by what is known, with those before it. */
static double turn_of(const struct ofox_call *c, const struct ofox_lane *l,
                      double now) {
  size_t before = ofox_turns_before(&l->turns, &c->ticket->turn);
  double at = now;
  if (c->config->holds)
    at = ofox_hold_at(&l->hold, now, before);
  if (is_paced(c, l))
    at = later(at, ofox_pace_at(&c->config->account->pace, now, before,
                                (double)c->tokens * (double)before,
                                (double)c->tokens));
  if (is_leased(c, l))
    at = later(at, ofox_lease_at(c->config->account->lease, now, before));
  return at;
}

/* The hold is over if no call waits for it. */
static void rest(const struct ofox_account *a, struct ofox_lane *l,
                 double now) {
  if (l->turns.n == 0 && a->retrying == 0)
    ofox_hold_idle(&l->hold, now);
}

/* The first of a lane is due at another moment than it knew. NaN: at once, for
** the present is not known. */
static void wake(struct ofox_account *a, struct ofox_lane *l, double now) {
  struct ofox_turn *first = ofox_turns_first(&l->turns);
  struct ofox_call *c;
  double due;
  if (first == NULL) {
    rest(a, l, now);
    return;
  }
  c = call_of(first);
  if (c->state == OFOX_READY && ofox_turns_second(&l->turns) != NULL) {
    now = c->ticket->ready + STUCK; /* the program may not come to it */
    c = call_of(ofox_turns_second(&l->turns));
  }
  if (c->state != OFOX_WAIT)
    return;
  due = fmin(next_of(c, l, now), ofox_call_deadline(c));
  if (isnan(now) ||
      (c->config->holds && ofox_hold_refuses(&l->hold, now, patience(c))))
    due = 0; /* it is told so, or goes to see */
  if (due == c->_due)
    return;
  c->_due = due;
  if (c->host != NULL)
    c->host->moved(c);
}

/* NULL: the account has been freed. */
static struct ofox_lane *lane_waited_in(const struct ofox_call *c) {
  struct ofox_account *a = c->config->account;
  return c->ticket->waits == 0 ? &a->all
                               : ofox_account_lane(a, c->ticket->waits);
}

void ofox_gate_left(struct ofox_call *c, double now) {
  struct ofox_ticket *t = c->ticket;
  struct ofox_lane *l;
  if (!waits(c))
    return;
  l = lane_waited_in(c);
  if (l == NULL)
    return;
  ofox_turns_leave(&l->turns, &t->turn);
  wake(c->config->account, l, now);
}

/* One whose turn it is, and which does not go, is not waited for; it comes
** back to its place when it asks. */
static int is_behind(const struct ofox_call *c, struct ofox_lane *l,
                     double now) {
  struct ofox_turn *first = ofox_turns_first(&l->turns);
  while (first != NULL && first->order < c->ticket->turn.order &&
         call_of(first)->state == OFOX_READY &&
         call_of(first)->ticket->ready + STUCK <= now) {
    ofox_turns_leave(&l->turns, first);
    first = ofox_turns_first(&l->turns);
  }
  return first != NULL && first->order < c->ticket->turn.order;
}

static enum ofox_outcome keeper(const struct ofox_call *c,
                                const struct ofox_lane *l, double now) {
  return c->config->holds && l->hold.held &&
                 ofox_hold_at(&l->hold, now, 0) > now
             ? OFOX_OUTCOME_HELD
             : OFOX_OUTCOME_PACED;
}

static struct ofox_gate_answer refused(const struct ofox_call *c,
                                       const struct ofox_lane *l,
                                       enum ofox_reason reason, double at,
                                       double now) {
  struct ofox_gate_answer a = {OFOX_GATE_REFUSED, INFINITY, OFOX_OUTCOME_PACED,
                               OFOX_REASON_NONE,  0,        0};
  a.outcome = keeper(c, l, now);
  a.reason = reason;
  a.delay = at > now && at < INFINITY ? at - now : NAN;
  return a;
}

/* What it had in the queue of another process is not in the one of this. */
static void enter_process(struct ofox_call *c) {
  struct ofox_ticket *t = c->ticket;
  if (t->process == c->config->account->process)
    return;
  t->process = c->config->account->process;
  memset(&t->turn, 0, sizeof(t->turn));
  memset(&t->pace, 0, sizeof(t->pace));
  t->started = 0;
  t->turn.order = c->arrival;
}

/* Waits in a lane, or is refused since that would not help. */
static struct ofox_gate_answer keep(struct ofox_call *c, struct ofox_lane *l,
                                    double at, double now) {
  struct ofox_gate_answer a = {OFOX_GATE_WAIT,   INFINITY, OFOX_OUTCOME_HELD,
                               OFOX_REASON_NONE, 0,        0};
  struct ofox_ticket *t = c->ticket;
  double deadline = ofox_call_deadline(c);
  if (c->config->holds && ofox_hold_refuses(&l->hold, now, patience(c)))
    return refused(c, l, OFOX_REASON_DELAY_TOO_LONG, l->hold.until, now);
  if (deadline < INFINITY) {
    double expected = turn_of(c, l, now);
    if (expected >= deadline && expected < INFINITY)
      return refused(c, l, OFOX_REASON_DEADLINE, expected, now);
  }
  if (waits(c) && t->waits != l->model)
    ofox_gate_left(c, now);
  enter_process(c);
  t->waits = l->model;
  ofox_turns_wait(&l->turns, &t->turn);
  a.due =
      fmin(ofox_turns_first(&l->turns) == &t->turn ? at : INFINITY, deadline);
  return a;
}

/* 1: the lane lets it pass; 0: '*out' is the answer. */
static int passes(struct ofox_call *c, struct ofox_lane *l, double now,
                  struct ofox_gate_answer *out) {
  double at;
  if (l == NULL)
    return 1;
  rest(c->config->account, l, now);
  /* what others wait for is nothing to it */
  if (!(c->config->holds && l->hold.held) && !is_paced(c, l))
    return 1;
  at = is_behind(c, l, now) ? INFINITY : next_of(c, l, now);
  if (at <= now)
    return 1;
  *out = keep(c, l, at, now);
  out->model_is_down = l->is_down;
  if (out->word == OFOX_GATE_REFUSED)
    ofox_gate_left(c, now);
  return 0;
}

double ofox_gate_expects(const struct ofox_call *c, double now) {
  return waits(c) ? later(now, turn_of(c, lane_waited_in(c), now)) : c->_due;
}

void ofox_gate_retries(struct ofox_call *c) {
  if (c->config->account == NULL || c->_retries)
    return;
  c->_retries = 1;
  c->config->account->retrying++;
}

/* It asks, or has ended. */
static void stop_retrying(struct ofox_call *c) {
  struct ofox_account *a = c->config->account;
  if (c->_retries && a->retrying > 0)
    a->retrying--;
  c->_retries = 0;
}

/* Is the account anything to its calls? */
static int is_concerned(const struct ofox_call_config *config) {
  return config->holds || config->paces || config->budgets || config->breaks;
}

/* Too much has failed for it to be sent. */
static struct ofox_gate_answer broken(const struct ofox_call *c, double now) {
  struct ofox_gate_answer a = {
      OFOX_GATE_REFUSED,        INFINITY, OFOX_OUTCOME_CIRCUIT_OPEN,
      OFOX_REASON_CIRCUIT_OPEN, 0,        1};
  a.delay = ofox_health_next(c, now) - now;
  return a;
}

struct ofox_gate_answer ofox_gate_ask(struct ofox_call *c, double now) {
  struct ofox_gate_answer a = {
      OFOX_GATE_GO, INFINITY, OFOX_OUTCOME_ANSWERED, OFOX_REASON_NONE, 0, 0};
  struct ofox_account *account = c->config->account;
  struct ofox_lane *own;
  if (account != NULL)
    stop_retrying(c);
  if (account == NULL || !is_concerned(c->config))
    return a;
  if (c->arrival == 0)
    c->arrival = ++account->arrivals;
  if (ofox_account_is_quiet(account) && !c->config->budgets &&
      !c->config->breaks)
    return a;
  if (ofox_ticket_take(c) == NULL || ofox_health_room(c) != 0) {
    a.word = OFOX_GATE_NO_MEMORY;
    return a;
  }
  if (ofox_health_next(c, now) > now) {
    ofox_gate_left(c, now);
    return broken(c, now);
  }
  if (waits(c) && now >= ofox_call_deadline(c)) {
    a = refused(c, lane_waited_in(c), OFOX_REASON_DEADLINE,
                ofox_gate_expects(c, now), now);
    ofox_gate_left(c, now);
    return a;
  }
  own = c->lane != 0 ? ofox_account_lane(account, c->lane) : NULL;
  if (own == NULL || passes(c, own, now, &a))
    (void)passes(c, &account->all, now, &a);
  return a;
}

enum ofox_outcome ofox_gate_keeper(const struct ofox_call *c, double now) {
  return keeper(c, lane_waited_in(c), now);
}

void ofox_gate_ready(struct ofox_call *c, double now) {
  struct ofox_lane *l = waits(c) ? lane_waited_in(c) : NULL;
  if (l == NULL)
    return;
  c->ticket->ready = now;
  wake(c->config->account, l, now);
}

int ofox_gate_is_waiting(const struct ofox_call *c) {
  return waits(c);
}

void ofox_gate_started(struct ofox_call *c, double now) {
  struct ofox_ticket *t = c->ticket;
  struct ofox_account *a = c->config->account;
  struct ofox_lane *own;
  if (t == NULL)
    return;
  enter_process(c);
  t->started = 1;
  t->probe = t->probe_of_all = 0;
  own = ofox_account_lane(a, c->lane);
  if (c->config->holds && own != NULL)
    t->probe = ofox_hold_started(&own->hold, now);
  if (c->config->holds)
    t->probe_of_all = ofox_hold_started(&a->all.hold, now);
  if (a->paces)
    ofox_pace_started(&a->pace, &t->pace, (double)c->tokens, now);
  if (a->paces && a->lease != NULL && ofox_pace_is_rated(&a->pace))
    ofox_lease_started(a->lease, (double)c->tokens, now);
  ofox_health_started(c, now);
  ofox_gate_left(c, now);
  if (own != NULL)
    wake(c->config->account, own, now);
  wake(a, &a->all, now);
}

struct ofox_later_turn {
  const struct ofox_lane *lane;
  double now;
};

/* Does its turn come too late for it? Then it learns so now. */
static void reconsider(struct ofox_turn *turn, void *with) {
  const struct ofox_later_turn *l = with;
  struct ofox_call *c = call_of(turn);
  double deadline = ofox_call_deadline(c);
  int refused = c->config->holds &&
                ofox_hold_refuses(&l->lane->hold, l->now, patience(c));
  if (c->state != OFOX_WAIT || c->_due <= l->now)
    return;
  if (!refused &&
      (deadline == INFINITY || turn_of(c, l->lane, l->now) < deadline))
    return;
  c->_due = 0;
  if (c->host != NULL)
    c->host->moved(c);
}

/* What is known of a lane has changed for the worse. */
static void reconsider_all(const struct ofox_lane *l, double now) {
  struct ofox_later_turn with = {l, now};
  ofox_turns_each(&l->turns, reconsider, &with);
}

/* What the answer says of the quota. */
static void hear_pace(struct ofox_call *c, double now) {
  struct ofox_account *a = c->config->account;
  int was_known = a->pace.quotas[OFOX_PACE_REQUESTS].is_known;
  struct ofox_pace_words said[OFOX_PACE_UNITS];
  int says = ofox_quota_words_read(c, said);
  ofox_pace_heard(&a->pace, &c->ticket->pace,
                  c->response.head.status == 429 && !says ? NULL : said, now);
  if (!was_known && a->pace.quotas[OFOX_PACE_REQUESTS].is_known)
    reconsider_all(&a->all, now);
}

/* Other processes are to hear that a lane is held; 'probe': see hold.h. */
static void spread(const struct ofox_account *a, struct ofox_lane *l,
                   double until, unsigned probe) {
  struct ofox_lane_news *n = &l->news;
  if (a->lease == NULL)
    return;
  if (n->state == OFOX_NEWS_NONE)
    n->until = n->is_probe = 0;
  n->state = OFOX_NEWS_KEPT;
  n->until = probe != 0 ? until : later(n->until, until);
  n->is_probe |= probe != 0;
}

/* The probe has been answered. */
static void answered(struct ofox_call *c, double now) {
  struct ofox_ticket *t = c->ticket;
  struct ofox_lane *own = ofox_account_lane(c->config->account, c->lane);
  if (t->probe != 0 && own != NULL) {
    ofox_hold_answered(&own->hold, t->probe, now);
    spread(c->config->account, own, now, t->probe);
    wake(c->config->account, own, now);
  }
  if (t->probe_of_all != 0) {
    ofox_hold_answered(&c->config->account->all.hold, t->probe_of_all, now);
    spread(c->config->account, &c->config->account->all, now, t->probe_of_all);
    wake(c->config->account, &c->config->account->all, now);
  }
  t->probe = t->probe_of_all = 0;
}

void ofox_gate_heard(struct ofox_call *c, double now) {
  struct ofox_ticket *t = c->ticket;
  if (t == NULL || !t->started)
    return;
  if (c->config->account->paces)
    hear_pace(c, now);
  if (c->response.head.status >=
      400) /* what it says of others is told first */
    return;
  answered(c, now);
  if (c->config->account->paces)
    wake(c->config->account, &c->config->account->all, now);
}

void ofox_gate_tell(struct ofox_call *c, enum ofox_source source, double hint,
                    double now) {
  struct ofox_account *a = c->config->account;
  struct ofox_lane *l;
  double until;
  if (a == NULL || !c->config->holds || isnan(hint) || hint < 0 ||
      (c->error->cls != OFOX_CLASS_RATE_LIMIT &&
       c->error->cls != OFOX_CLASS_UNAVAILABLE))
    return;
  if (c->ticket != NULL)
    answered(c, now);
  l = c->lane == 0 || ofox_quota_words_name_account(c, source)
          ? &a->all
          : ofox_account_hold(a, c->lane, now);
  if (l == NULL)
    return;
  until = l->hold.held ? l->hold.until : 0;
  ofox_hold_until(&l->hold, now + hint, now);
  if (l->hold.until > until)
    reconsider_all(l, now);
  l->is_down = l != &a->all && c->error->cls == OFOX_CLASS_UNAVAILABLE;
  spread(a, l, now + hint, 0);
  wake(c->config->account, l, now);
}

void ofox_gate_hear(struct ofox_account *a, struct ofox_lane *l, double until,
                    int is_down, double now) {
  if (!l->hold.held || until > l->hold.until + CLOSE) {
    ofox_hold_until(&l->hold, until, now);
    l->is_down = is_down;
    reconsider_all(l, now);
    wake(a, l, now);
  }
}

void ofox_gate_leased(struct ofox_account *a, double now) {
  wake(a, &a->all, now);
}

size_t ofox_gate_crowd(const struct ofox_call *c, double now) {
  const struct ofox_account *a = c->config->account;
  const struct ofox_pace *p = &a->pace;
  size_t n = a->all.turns.n + !(waits(c) && c->ticket->waits == 0);
  if (!is_leased(c, &a->all) ||
      (c->config->holds && ofox_hold_at(&a->all.hold, now, 0) > now + NEAR))
    return 0;
  if (p->concurrent > 0 && p->in_flight + (double)n > p->concurrent)
    n = p->in_flight < p->concurrent ? (size_t)(p->concurrent - p->in_flight)
                                     : 0;
  return n;
}

void ofox_gate_ended(struct ofox_call *c, enum ofox_health health,
                     double now) {
  struct ofox_account *a = c->config->account;
  struct ofox_ticket *t = c->ticket;
  if (t == NULL || !t->started)
    return;
  t->started = 0;
  ofox_health_ended(c, health, now);
  if (a->paces && t->process == a->process) {
    ofox_pace_ended(&a->pace, &t->pace);
    wake(a, &a->all, now);
  }
}

void ofox_gate_cancelled(struct ofox_call *c, double now) {
  ofox_gate_ended(c, OFOX_HEALTH_UNKNOWN, now);
  if (c->ticket != NULL)
    ofox_health_dropped(c);
  stop_retrying(c);
  ofox_gate_left(c, now);
}

void ofox_gate_free(struct ofox_call *c) {
  ofox_gate_cancelled(c, NAN);
  free(c->ticket);
  c->ticket = NULL;
}

void ofox_gate_used(struct ofox_call *c, double tokens) {
  struct ofox_account *a = c->config->account;
  struct ofox_ticket *t = c->ticket;
  if (t == NULL || !a->paces || t->process != a->process)
    return;
  ofox_pace_used(&a->pace, &t->pace, tokens, c->ended);
  wake(a, &a->all, c->ended);
}
