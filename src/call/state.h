/*
** What a call remembers, from its first attempt to its end.
** Knows nothing of the transitions; see call.h.
*/
#ifndef OFOX_CALL_STATE_H
#define OFOX_CALL_STATE_H

#include "call/history.h"
#include "call/time_limits.h"
#include "call/ready_list.h"
#include "call/response.h"
#include "call/tape.h"
#include "policy/retry.h"
#include "wire/error.h"
#include "wire/redact.h"

enum ofox_call_state { OFOX_READY, OFOX_FLIGHT, OFOX_WAIT, OFOX_DONE };

struct ofox_account;
struct ofox_call;
struct ofox_tally;
struct ofox_ticket;

struct ofox_call_config {
  struct ofox_policy policy;
  struct ofox_time_limits limits;
  struct ofox_response_config response;
  int max_retries;
  int once; /* no retry once the request may have arrived */
  struct ofox_account *account; /* outlives the calls; NULL: they have none */
  int holds;    /* its calls are held by what answers say, and say it */
  int paces;    /* its calls obey the account's pace */
  int budgets;  /* its retries are paid for */
  int breaks;   /* its calls obey the breakers, and tell them how they end */
  double hedge; /* seconds after which an attempt gets a twin; 0: never */
};

/* What a call asks of the transport that has it. */
struct ofox_call_host {
  void (*detach)(struct ofox_call *c); /* drop it */
  void (*resume)(struct ofox_call *c); /* it has room for events again */
  void (*moved)(struct ofox_call *c);  /* it is due at another moment */
};

struct ofox_call {
  const struct ofox_call_config *config; /* outlives the call */
  enum ofox_call_state state;
  int attempts; /* begun */
  int models;   /* number of models to try; at least 1 */
  int model;    /* index of the model of this or the next attempt */
  int failed, ambiguous;
  struct ofox_response response; /* to this attempt */
  struct ofox_error *error;      /* why an attempt failed; NULL: none has */
  struct ofox_buf request_id;    /* of the last failure; empty: none */
  struct ofox_plan plan;
  enum ofox_source source; /* of plan.delay */
  enum ofox_reason reason;
  double ended; /* the last attempt */
  double wall;  /* the same, in seconds since 1970 */
  /* If the call was ended between two attempts: why the earlier one failed,
  whose response is still there, and when. */
  struct ofox_error *cause; /* NULL: it was not */
  double cause_ended, cause_delay;
  struct ofox_clock clock;
  struct ofox_history history;
  struct ofox_redact secrets;
  /* What it asks its account for, and what that has given (gate.h). */
  uint64_t arrival;           /* its number among the calls; 0: none yet */
  uint32_t lane;              /* a hash of its model's name; 0: none */
  float tokens;               /* that the next attempt will use: a guess */
  struct ofox_ticket *ticket; /* NULL: nothing has held it back yet */
  struct ofox_note note;      /* told of changes of state and of events */
  const struct ofox_call_host *host; /* NULL: no transport has it */
  void *transfer;
  struct ofox_tally *tally; /* NULL: nothing is counted */
  struct ofox_call *twin;   /* the other of a pair (hedge.h); NULL: none */
  struct ofox_tape *tape;   /* NULL: nothing is kept */
  double _due;
  unsigned cause_ambiguous : 1, _reused : 1, _immediate : 1, _zero : 1;
  unsigned no_memory : 1; /* for something of it */
  unsigned _retries : 1;  /* it is counted in account->retrying */
  unsigned fresh : 1;     /* the next attempt must open a new connection */
  unsigned announce : 1;  /* a retry was planned, and Lua does not know yet */
  unsigned hedged : 1;    /* this attempt has had its moment, or is a hedge */
  unsigned news : 1;      /* of a pair: what serves the call has to look */
  unsigned left : 1;      /* the other of the pair has gone on without it */
  unsigned hedge_model : 1; /* the last of its models is for hedges alone */
  unsigned next_model : 16; /* the least that the next attempt may ask */
  uint64_t _random;
};

/* When it has to have ended. */
double ofox_call_deadline(const struct ofox_call *c);

#endif
