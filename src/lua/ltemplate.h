/*
** What a client and a resource never change, compiled once for all their
** calls: where requests go and how, header lines, limits, policy, secrets.
** Knows nothing of bodies, keys or attempts.
*/
#ifndef OFOX_LTEMPLATE_H
#define OFOX_LTEMPLATE_H

#include "call/state.h"
#include "io/request.h"
#include "lua/lcompat.h"

/* Where its fields, which are the user value of its calls, keep what has to
** live as long as those. */
#define OFOX_TEMPLATE_SELF 1
#define OFOX_TEMPLATE_ENGINE 2

struct ofox_template {
  struct ofox_call_config config;
  int seeded;
  uint64_t seed; /* of all its calls, if it is 'seeded' */
  struct ofox_redact secrets;
  struct ofox_request request; /* but for the body; its texts are fields */
  const char *authorization;   /* the line of a key that never changes */
  const char *idempotency;     /* the same; NULL: see 'idempotent' */
  int idempotent;              /* no idempotency key is sent */
};

/* Adds the text at 'arg', as it is and in lower case, as a server may echo it
** for the name of a header. Of a very long one the beginning will do.
** [-0, +0, e] */
void ofox_addsecret(lua_State *L, int arg, struct ofox_redact *to);

/* The template at 'arg', or an argument error. [-0, +0, e] */
struct ofox_template *ofox_checktemplate(lua_State *L, int arg);

#endif
