/*
** SHA-1 (FIPS 180-4) of a text, in hexadecimal: the name by which Redis knows
** a script. Nothing is kept secret by it.
** Knows nothing of Redis.
*/
#ifndef OFOX_REDIS_SHA1_H
#define OFOX_REDIS_SHA1_H

#include "base/buf.h"

#define OFOX_SHA1_DIGITS 40

/* Writes the digits and a NUL. */
void ofox_sha1(struct ofox_span text, char digits[OFOX_SHA1_DIGITS + 1]);

#endif
