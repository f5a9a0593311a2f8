/*
** The outcome of a transfer: maps libcurl's codes and notes to outcomes.
** Knows nothing of attempts, or of what comes next.
*/
#ifndef OFOX_CURL_CODES_H
#define OFOX_CURL_CODES_H

#include "io/transfer.h"

/* 't' has ended with 'rc', and its handle is still there. */
enum ofox_outcome ofox_curl_codes_outcome(struct ofox_transfer *t,
                                          CURLcode rc);

#endif
