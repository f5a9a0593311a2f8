/*
** A call as Lua holds it: the C call, the template that created it, and what
** its attempts send. Core creates it, the engine uses it.
*/
#ifndef OFOX_LCALL_H
#define OFOX_LCALL_H

#include "call/call.h"
#include "call/tally.h"
#include "lua/lcompat.h"
#include "lua/ltemplate.h"

#define OFOX_IDEMPOTENCY_SIZE 64 /* bytes of a line with a generated key */

/* Where the body for a model ends, and the hash of its name. */
struct ofox_body_end {
  size_t at;
  uint32_t model;
};

/* The C call comes first: both have the same address. */
struct ofox_lcall {
  struct ofox_call call;
  const struct ofox_template *template; /* a field of its user value */
  struct ofox_buf scratch;
  struct ofox_buf answer; /* the body of the response, while it is read */
  struct ofox_buf bodies; /* one for each model, one after the other */
  struct ofox_buf ends;   /* an ofox_body_end for each; empty: there is one */
  int has_body;
  /* What functions of the program returned for one attempt: header lines, each
  ended by NUL, and the line of its key (empty: none was returned). */
  struct ofox_buf own, authorization;
  int own_of; /* the attempt that they belong to */
  char idempotency[OFOX_IDEMPOTENCY_SIZE];
  int idempotency_of; /* its model, from 1 */
  /* Of the prepared attempt: lines in addition to those of the template, as an
  array for the engine, and its body. */
  struct ofox_buf lines;
  struct ofox_span body;   /* p NULL: none */
  struct ofox_tally tally; /* of 'call', if it is counted */
};

void ofox_lcall_init(struct ofox_lcall *c); /* except the C call */
void ofox_lcall_free(struct ofox_lcall *c);
/* It will not send anything any more. */
void ofox_lcall_forget(struct ofox_lcall *c);

/* The methods that set what a call sends. */
extern const luaL_Reg ofox_attempt_methods[];
/* Those for programs that keep what servers have sent. */
extern const luaL_Reg ofox_tape_methods[];
/* core.call */
extern const luaL_Reg ofox_attempt_functions[];

#endif
