/*
** What libcurl has received for a transfer: header lines and pieces of the
** body, as its callbacks. The call is fed with them, decoded.
** Knows nothing of connections, or of what the call makes of them.
*/
#ifndef OFOX_RECEIVE_H
#define OFOX_RECEIVE_H

#include <stddef.h>

/* CURLOPT_HEADERFUNCTION and CURLOPT_WRITEFUNCTION; 'user' is the handle. */
size_t ofox_receive_header(char *p, size_t size, size_t n, void *user);
size_t ofox_receive_body(char *p, size_t size, size_t n, void *user);

#endif
