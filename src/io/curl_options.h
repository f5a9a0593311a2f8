/*
** The options of libcurl for an attempt: all options of its handle.
** Knows nothing of when it is sent, or of what is received.
*/
#ifndef OFOX_CURL_OPTIONS_H
#define OFOX_CURL_OPTIONS_H

#include "io/request.h"
#include "io/transfer.h"

/* Takes a handle for the transfer, which starts over, and sets those options
** that it does not have from another request of the plan. */
CURLcode ofox_curl_options_set(struct ofox_transfer *t,
                               const struct ofox_request *r);

#endif
