/*
** What libcurl has received for a transfer: header lines and pieces of the
** body, as its callbacks. They are decoded and fed to the call.
** Knows nothing of connections, or of what the call does with them.
*/
#ifndef OFOX_RECEIVE_H
#define OFOX_RECEIVE_H

#include <stddef.h>

/* CURLOPT_HEADERFUNCTION and CURLOPT_WRITEFUNCTION; 'user' is the handle. */
size_t ofox_receive_header(char *p, size_t size, size_t n, void *user);
size_t ofox_receive_body(char *p, size_t size, size_t n, void *user);

#endif
