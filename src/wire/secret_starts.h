/*
** The beginnings of secrets in each form that is searched for: a quick test
** that rules out nearly every text without a secret.
** Knows nothing of how a secret is found and redacted.
*/
#ifndef OFOX_SECRET_STARTS_H
#define OFOX_SECRET_STARTS_H

#include "base/buf.h"

#define OFOX_SECRET_MIN 8 /* shorter ones would match innocent text */

struct ofox_secret_starts;

/* Bytes of memory for the starts of so many secrets. */
size_t ofox_secret_starts_size(size_t secrets);
void ofox_secret_starts_init(struct ofox_secret_starts *t);
void ofox_secret_starts_add(struct ofox_secret_starts *t,
                            struct ofox_span secret);

/* 0: neither the text nor a part of it that cuts no escape has a secret in it
** or OFOX_SECRET_MIN characters of one at its end. 1: they may have. */
int ofox_secret_starts_any(const struct ofox_secret_starts *t,
                           struct ofox_span text);

#endif
