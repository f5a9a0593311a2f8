/*
** What is the same for all calls of a client and a resource, compiled once:
** where requests are sent and how, header lines, limits, policy, secrets.
** Knows nothing of bodies, keys or attempts.
*/
#ifndef OFOX_LTEMPLATE_H
#define OFOX_LTEMPLATE_H

#include "call/state.h"
#include "io/request.h"
#include "lua/lcompat.h"
#include "lua/lstats.h"

/* Where its fields, the user value of its calls, keep what must live as long
** as the calls. */
#define OFOX_TEMPLATE_T "ofox.template"
#define OFOX_TEMPLATE_SELF 1
#define OFOX_TEMPLATE_ENGINE 2

struct ofox_template {
  struct ofox_call_config config;
  int seeded;
  uint64_t seed; /* for all its calls, if 'seeded' */
  struct ofox_redact secrets;
  struct ofox_lstats *stats;   /* a field; NULL: its calls are not counted */
  struct ofox_request request; /* except the body; its texts are fields */
  const char *authorization;   /* the line of a key that never changes */
  const char *key; /* the line of one that changes, without it; or NULL */
  const char *idempotency; /* the same; NULL: see 'idempotent' */
  int idempotent;          /* no idempotency key is sent */
};

/* Adds the text at 'arg', as written and in lower case, since a server may
** echo it as a header name. Only the beginning of a very long text is used.
** [-0, +0, e] */
void ofox_addsecret(lua_State *L, int arg, struct ofox_redact *to);

#endif
