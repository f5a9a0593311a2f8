/*
** The numbers of JSON (RFC 8259, section 6), each to the last bit: an integer
** as the integer that it says, any other as the double that is nearest to it.
** Knows nothing of the locale, or of what stands around them.
*/
#ifndef OFOX_JSON_NUMBER_H
#define OFOX_JSON_NUMBER_H

#include <stddef.h>
#include <stdint.h>

struct ofox_json_number {
  int whole; /* no point, no exponent, and it fits: 'i' has it, too */
  int64_t i; /* of -0 it is 0 */
  double d;  /* infinite where no double is as large */
};

/* Reads the number at 'p': past its end, or NULL if none stands there whole.
** What follows it is not looked at. */
const char *ofox_json_read_number(const char *p, const char *e,
                                  struct ofox_json_number *out);

/* The commas from 'p' to 'e': with them it is known how many numbers come. */
size_t ofox_json_count_commas(const char *p, const char *e);

#endif
