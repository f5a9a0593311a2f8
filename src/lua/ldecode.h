/*
** JSON to Lua values, in one pass over its bytes. A null member of an object
** is absent, a null in an array or alone is ofox.null; an empty array has the
** mark; whole numbers are integers where Lua has them and they fit; lone
** surrogates and bad UTF-8 become U+FFFD. Of duplicate names the last value
** counts that is not null.
** Knows nothing of answers, but where they say what they used.
*/
#ifndef OFOX_LDECODE_H
#define OFOX_LDECODE_H

#include "base/buf.h"
#include "lua/lcompat.h"
#include "wire/usage.h"

/* Halves of characters stay in the strings, for ofox_join. */
#define OFOX_DECODE_HALVES 1U

/* What ofox_decode returns for text that it has decoded. */
enum {
  OFOX_DECODED = 1,
  OFOX_DECODED_ROUGH = 2 /* and there were halves, or bad UTF-8 */
};

/*
** Pushes the value of 'text', which may be any bytes and must stay in place
** (finalizers may run). Else 0 or OFOX_ESYNTAX: it pushes nothing, and '*pos'
** is as for ofox_json_check. [-0, +0 or 1, e]
*/
int ofox_decode(lua_State *L, struct ofox_span text, unsigned flags,
                size_t *pos);

/* The same for an answer, with what its usage says, whatever its dialect
** calls that; it costs less than to look it up in the value. */
int ofox_decode_answer(lua_State *L, struct ofox_span text,
                       struct ofox_usage *used, size_t *pos);

/* Pushes the message for a result of ofox_decode, or of ofox_json_check. It
** contains no piece of the text. [-0, +1, m] */
void ofox_pushbroken(lua_State *L, struct ofox_span text, int rc, size_t pos);

/* Creates what this Lua state keeps for decoding; the marks are on top.
** [-0, +0, m] */
void ofox_open_decode(lua_State *L);

#endif
