#include "io/socks_codes.h"

#include <stddef.h>

#include <curl/curl.h>

/*
** SOCKS4 "rejected or failed" may be either, so that a retry is worthwhile.
*/
static const struct {
  CURLproxycode code;
  enum ofox_outcome outcome;
  const char *message;
} ROWS[] = {
    {CURLPX_USER_REJECTED, OFOX_OUTCOME_PROXY_AUTH,
     "the SOCKS proxy refused the login"},
    {CURLPX_NO_AUTH, OFOX_OUTCOME_PROXY_AUTH,
     "the SOCKS proxy requires a login, or another login method"},
    {CURLPX_IDENTD, OFOX_OUTCOME_PROXY_AUTH,
     "the SOCKS proxy refused the login: it found no identd"},
    {CURLPX_IDENTD_DIFFER, OFOX_OUTCOME_PROXY_AUTH,
     "the SOCKS proxy refused the login: identd named another user"},
    {CURLPX_LONG_USER, OFOX_OUTCOME_PROXY_AUTH,
     "the user name is too long for a SOCKS proxy"},
    {CURLPX_LONG_PASSWD, OFOX_OUTCOME_PROXY_AUTH,
     "the password is too long for a SOCKS proxy"},
    {CURLPX_REPLY_NOT_ALLOWED, OFOX_OUTCOME_PROXY_REFUSED,
     "the rules of the SOCKS proxy do not allow this connection"},
    {CURLPX_REQUEST_FAILED, OFOX_OUTCOME_REFUSED,
     "the SOCKS proxy refused the connection, or could not connect"},
    {CURLPX_REPLY_GENERAL_SERVER_FAILURE, OFOX_OUTCOME_REFUSED,
     "the SOCKS proxy failed"},
    {CURLPX_REPLY_NETWORK_UNREACHABLE, OFOX_OUTCOME_REFUSED,
     "the SOCKS proxy cannot reach the server's network"},
    {CURLPX_REPLY_HOST_UNREACHABLE, OFOX_OUTCOME_REFUSED,
     "the SOCKS proxy cannot reach the server"},
    {CURLPX_REPLY_CONNECTION_REFUSED, OFOX_OUTCOME_REFUSED,
     "the server refused the connection of the SOCKS proxy"},
    {CURLPX_REPLY_TTL_EXPIRED, OFOX_OUTCOME_REFUSED,
     "the route from the SOCKS proxy to the server is too long"},
    {CURLPX_REPLY_COMMAND_NOT_SUPPORTED, OFOX_OUTCOME_REFUSED,
     "the SOCKS proxy does not support connections"},
    {CURLPX_REPLY_ADDRESS_TYPE_NOT_SUPPORTED, OFOX_OUTCOME_REFUSED,
     "the SOCKS proxy does not support this type of address"},
    {CURLPX_BAD_VERSION, OFOX_OUTCOME_PROTOCOL,
     "the proxy does not support this version of SOCKS"},
    {CURLPX_UNKNOWN_MODE, OFOX_OUTCOME_PROTOCOL,
     "the proxy does not support this version of SOCKS"},
    {CURLPX_RESOLVE_HOST, OFOX_OUTCOME_DNS, NULL},
    {CURLPX_LONG_HOSTNAME, OFOX_OUTCOME_DNS, NULL},
    {CURLPX_CLOSED, OFOX_OUTCOME_RESET, NULL},
    {CURLPX_RECV_ADDRESS, OFOX_OUTCOME_RESET, NULL},
    {CURLPX_RECV_AUTH, OFOX_OUTCOME_RESET, NULL},
    {CURLPX_RECV_CONNECT, OFOX_OUTCOME_RESET, NULL},
    {CURLPX_RECV_REQACK, OFOX_OUTCOME_RESET, NULL},
    {CURLPX_SEND_AUTH, OFOX_OUTCOME_RESET, NULL},
    {CURLPX_SEND_CONNECT, OFOX_OUTCOME_RESET, NULL},
    {CURLPX_SEND_REQUEST, OFOX_OUTCOME_RESET, NULL},
};

enum ofox_outcome ofox_socks_codes_outcome(long code, const char **message) {
  size_t i;
  *message = NULL;
  for (i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
    if ((long)ROWS[i].code == code) {
      *message = ROWS[i].message;
      return ROWS[i].outcome;
    }
  }
  return OFOX_OUTCOME_REFUSED;
}
