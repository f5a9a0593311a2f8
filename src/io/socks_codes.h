/*
** Why a SOCKS proxy could not connect, by libcurl's codes.
** Knows nothing of transfers.
*/
#ifndef OFOX_SOCKS_CODES_H
#define OFOX_SOCKS_CODES_H

#include "wire/outcomes.h"

/* 'code' is that of CURLINFO_PROXY_ERROR; 'message' may become NULL. */
enum ofox_outcome ofox_socks_codes_outcome(long code, const char **message);

#endif
