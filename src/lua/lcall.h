/*
** A call as Lua holds it: the C call, the template that created it, and what
** its attempts send. Core creates it, the engine uses it.
*/
#ifndef OFOX_LCALL_H
#define OFOX_LCALL_H

#include "call/call.h"
#include "call/tally.h"
#include "io/form.h"
#include "lua/lcompat.h"
#include "lua/lmachine.h"
#include "lua/ltemplate.h"

/* What the line of a generated key begins with. */
#define OFOX_IDEMPOTENCY "Idempotency-Key: ofox-"

/* Where the body for a model ends, and the hash of its name. */
struct ofox_body_end {
  size_t at;
  uint32_t model;
};

/* The C call comes first: both have the same address. Kept small: with what
** Lua adds, glibc finds memory for at most 1032 bytes far faster than for
** more. */
struct ofox_lcall {
  struct ofox_call call;
  const struct ofox_template *template; /* a field of its user value */
  struct ofox_buf scratch;
  struct ofox_buf answer;     /* the body of the response, while it is read */
  struct ofox_buf bodies;     /* one for each model, one after the other */
  struct ofox_body_end *ends; /* of each; NULL: there is one for all models */
  struct ofox_form *form;     /* instead of a body; NULL: none */
  /* What functions of the program returned for one attempt: header lines, each
  ended by NUL, and the line of its key (empty: none was returned). */
  struct ofox_buf own, authorization;
  int own_of;         /* the attempt that they belong to */
  int idempotency_of; /* the model of the line below, from 1 */
  char has_body;
  char idempotency[sizeof(OFOX_IDEMPOTENCY) + OFOX_ID_SIZE];
  /* Of the prepared attempt: lines in addition to those of the template, as an
  array for the engine, and its body. */
  struct ofox_buf lines;
  struct ofox_span body;   /* p NULL: none */
  struct ofox_tally tally; /* of 'call', if it is counted */
};

void ofox_lcall_init(struct ofox_lcall *c); /* except the C call */
void ofox_lcall_free(struct ofox_lcall *c);
/* Pushes a call of the template, without a body. At 'like' is the template, or
** another call of it. [-0, +1, e] */
struct ofox_lcall *ofox_pushcall(lua_State *L, int like,
                                 const struct ofox_template *t, double now);
/* 'c', which is new, is about to send what 'from' sends. 0, or OFOX_EMEM. */
int ofox_attempt_copy(struct ofox_lcall *c, const struct ofox_lcall *from);
/* It will not send anything any more. */
void ofox_lcall_forget(struct ofox_lcall *c);

/* The methods that set what a call sends, those of its hedges, and those that
** say what became of it. */
extern const luaL_Reg ofox_attempt_methods[];
extern const luaL_Reg ofox_report_methods[];
extern const luaL_Reg ofox_hedge_methods[];
/* Those that add to its form, and read it (lform.c). */
extern const luaL_Reg ofox_form_methods[];
/* Those for programs that keep what servers have sent. */
extern const luaL_Reg ofox_tape_methods[];
/* core.call; its upvalue is the metatable of templates */
extern const luaL_Reg ofox_attempt_functions[];

#endif
