/*
** What the headers of an answer say of its account's quota.
** Knows nothing of what follows from it.
*/
#ifndef OFOX_QUOTA_WORDS_H
#define OFOX_QUOTA_WORDS_H

#include "call/state.h"
#include "policy/pace.h"

/* Does an answer that tells the call to wait speak of the whole account, or of
** the call's model only? 'hinted': what named the moment. */
int ofox_quota_words_name_account(const struct ofox_call *c,
                                  enum ofox_source hinted);

/* What remains of each quota; 0: it says nothing. */
int ofox_quota_words_read(const struct ofox_call *c,
                          struct ofox_pace_words said[OFOX_PACE_UNITS]);

#endif
