/*
** A reader of JSON text (RFC 8259) over spans: looks values up in place,
** builds no tree and allocates nothing. Nesting is bounded.
** Knows nothing of Lua, of error bodies, or of the meaning of members.
*/
#ifndef OFOX_JSON_H
#define OFOX_JSON_H

#include "base/json_text.h"

struct ofox_json_scan;

/*
** 1: one complete value with nothing but white space around it (a BOM is
** skipped). 0: valid up to its end, but incomplete (an empty text is).
** OFOX_ESYNTAX: invalid; '*pos' is the offset of the offending byte. Bytes 1
** to 31 and bad UTF-8 inside strings are accepted: hand-written error bodies
** have them, and lua-cjson accepts them as well.
*/
int ofox_json_check(struct ofox_span text, size_t *pos);

/* The same, where 'scan' reads the value, past its end, and is handed 'to'. */
int ofox_json_check_by(struct ofox_span text, size_t *pos,
                       int (*scan)(struct ofox_json_scan *, void *), void *to);

/* What ofox_json_check has found at 'pos', if recognizable; or NULL. */
const char *ofox_json_problem(struct ofox_span text, size_t pos);

/* The value 'text' starts with (a BOM is skipped); NONE if there is none. */
struct ofox_json ofox_json_root(struct ofox_span text);

/*
** Member 'key' of an object (the last of duplicates is not sought: the first
** wins), element 'i' of an array; NONE if 'v' is no such container or has
** none. Both work on text that was cut, as far as it goes.
*/
struct ofox_json ofox_json_get(struct ofox_json v, const char *key);
struct ofox_json ofox_json_at(struct ofox_json v, size_t i);

/*
** Walks the children of an array or object: start with '*pos' = 0. 1: 'key'
** (NONE in arrays) and 'child' are filled; 0: no more, or broken from here.
*/
int ofox_json_next(struct ofox_json v, size_t *pos, struct ofox_json *key,
                   struct ofox_json *child);

#endif
