/*
** The meaning of vendors' numeric codes: MiniMax's are in 'base_resp', Baidu's
** are called 'error_code'. Table only, read by class_words.c.
*/
#ifndef OFOX_VENDOR_CODES_H
#define OFOX_VENDOR_CODES_H

#define OFOX_NUMBERS(X)                                                       \
  X(MINIMAX, 1000, INTERNAL)                                                  \
  X(MINIMAX, 1001, TIMEOUT)                                                   \
  X(MINIMAX, 1002, RATE_LIMIT)                                                \
  X(MINIMAX, 1004, AUTHENTICATION)                                            \
  X(MINIMAX, 1008, BILLING)                                                   \
  X(MINIMAX, 1013, INTERNAL)                                                  \
  X(MINIMAX, 1026, INVALID_REQUEST)                                           \
  X(MINIMAX, 1027, INVALID_REQUEST)                                           \
  X(MINIMAX, 1039, INVALID_REQUEST)                                           \
  X(MINIMAX, 1042, INVALID_REQUEST)                                           \
  X(MINIMAX, 2013, INVALID_REQUEST)                                           \
  X(MINIMAX, 2049, AUTHENTICATION)                                            \
  X(BAIDU, 4, RATE_LIMIT)                                                     \
  X(BAIDU, 6, PERMISSION)                                                     \
  X(BAIDU, 17, RATE_LIMIT)                                                    \
  X(BAIDU, 18, RATE_LIMIT)                                                    \
  X(BAIDU, 19, RATE_LIMIT)                                                    \
  X(BAIDU, 100, AUTHENTICATION)                                               \
  X(BAIDU, 110, AUTHENTICATION)                                               \
  X(BAIDU, 111, AUTHENTICATION)

#endif
