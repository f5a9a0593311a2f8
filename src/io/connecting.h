/*
** How a transfer gets its connection, as libcurl's callbacks: whether it may
** open one, which one it got, and that libcurl never resends a request by
** itself, for attempts are counted.
** Knows nothing of what is sent or received.
*/
#ifndef OFOX_CONNECTING_H
#define OFOX_CONNECTING_H

#include <curl/curl.h>

/* CURLOPT_RESOLVER_START_FUNCTION, _OPENSOCKETFUNCTION, _PREREQFUNCTION;
** 'user' is the handle. */
int ofox_connecting_resolve(void *resolver, void *reserved, void *user);
curl_socket_t ofox_connecting_open(void *user, curlsocktype purpose,
                                   struct curl_sockaddr *a);
int ofox_connecting_request(void *user, char *peer, char *local, int peer_port,
                            int local_port);

/* CURLOPT_CLOSESOCKETFUNCTION; 'user' is the traffic. */
int ofox_connecting_close(void *user, curl_socket_t fd);

#endif
