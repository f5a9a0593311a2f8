/*
** A call as Lua holds it: the C call, the template that has made it, and what
** its attempts send. Core makes it, the engine takes it.
*/
#ifndef OFOX_LCALL_H
#define OFOX_LCALL_H

#include "call/call.h"
#include "lua/lcompat.h"
#include "lua/ltemplate.h"

#define OFOX_IDEMPOTENCY_SIZE 64 /* bytes of a line with a key of our own */

/* The C call comes first: what has found the one has found the other. */
struct ofox_lcall {
  struct ofox_call call;
  const struct ofox_template *template; /* a field of its user value */
  struct ofox_buf scratch;
  struct ofox_buf answer; /* the body of the response, while it is read */
  struct ofox_buf bodies; /* one for each model, one after the other */
  struct ofox_buf ends;   /* of each in 'bodies', a size_t; empty: one */
  int has_body;
  /* What functions of the program gave for one attempt: header lines, each
     ended by NUL, and the line of its key (empty: none was given). */
  struct ofox_buf own, authorization;
  int own_of; /* the attempt that is, or was, to have them */
  char idempotency[OFOX_IDEMPOTENCY_SIZE];
  int idempotency_of; /* its model, from 1 */
  /* Of the attempt that was prepared: lines beside those of the template, as
     an array for the engine, and its body. */
  struct ofox_buf lines;
  struct ofox_span body; /* p NULL: none */
};

void ofox_lcall_init(struct ofox_lcall *c); /* but for the C call */
void ofox_lcall_free(struct ofox_lcall *c);
/* It will send nothing any more. */
void ofox_lcall_forget(struct ofox_lcall *c);

/* The methods that are about what a call sends. */
extern const luaL_Reg ofox_attempt_methods[];
/* core.call */
extern const luaL_Reg ofox_attempt_functions[];

#endif
