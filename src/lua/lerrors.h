/*
** Errors to Lua tables.
*/
#ifndef OFOX_LERRORS_H
#define OFOX_LERRORS_H

#include "lua/lcompat.h"
#include "wire/error.h"

/* By enum ofox_outcome, as transports say them; ends with NULL. */
extern const char *const ofox_outcome_names[];

/*
** Pushes a table with the fields given by an error body and status: type,
** class, code, message, status, param, retryable, server_type, request_id.
** Absent ones are nil. [-0, +1, e]
*/
void ofox_pusherror(lua_State *L, const struct ofox_error *e);

#endif
