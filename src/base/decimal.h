/*
** Decimal numbers to the nearest doubles.
** Knows nothing of the locale, or of what is a number.
*/
#ifndef OFOX_DECIMAL_H
#define OFOX_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#define OFOX_DECIMAL_DIGITS 19 /* any number of these fits 64 bits */

/*
** 'm' times ten to the power of 'exp', not 0: infinite where no double is as
** large. If it has more 'digits' than fit 'm' they are read again, from its
** text between 'p' and 'e': digits, perhaps a point and digits, perhaps an
** exponent, no sign.
*/
double ofox_decimal_value(uint64_t m, size_t digits, int64_t exp,
                          const char *p, const char *e);

/* Past an exponent from its letter on, which is added to '*exp'; or NULL. Far
** beyond any double it stands still. */
const char *ofox_decimal_exponent(const char *p, const char *e, int64_t *exp);

#endif
