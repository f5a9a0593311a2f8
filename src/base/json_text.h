/*
** The text of JSON strings and the value of JSON numbers (RFC 8259).
** Knows nothing of where in a text they are.
*/
#ifndef OFOX_JSON_TEXT_H
#define OFOX_JSON_TEXT_H

#include "base/half_char.h"
#include "base/json_value.h"

/*
** Adds a string's text as valid UTF-8: lone surrogates and bad bytes become
** U+FFFD. Works on a string that was cut. Adds nothing for other types.
*/
int ofox_json_text(struct ofox_json v, struct ofox_buf *out);
/* The same for a piece of a text: 'h' is the end of the previous piece. */
int ofox_json_piece(struct ofox_json v, struct ofox_half_char *h,
                    struct ofox_buf *out);
/* Is it a whole string with this text? */
int ofox_json_is(struct ofox_json v, const char *text);

/* 1 and the value of a number; 0 for anything else. Locale-independent. */
int ofox_json_number(struct ofox_json v, double *out);

#endif
