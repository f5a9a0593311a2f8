/*
** The easy handles of an engine: each serves one transfer after the other, and
** stays configured between two of the same plan (see request.h).
** Knows nothing of how they are configured.
*/
#ifndef OFOX_HANDLES_H
#define OFOX_HANDLES_H

#include <stdint.h>

#include <curl/curl.h>

#include "io/header_lines.h"

struct ofox_transfer;

struct ofox_handle {
  CURL *easy;
  struct ofox_transfer *transfer; /* its user; NULL: it is idle */
  uint64_t plan; /* for which it is configured; 0: for none, and reset */
  /* what it is configured with, as curl_options.c has set it */
  CURLU *url; /* parsed, or NULL */
  struct ofox_header_lines lines;
  struct curl_slist *first; /* of the lines, as libcurl was told */
  enum ofox_sends sends;
  int fresh;
  unsigned long destination, unix_key; /* as for a transfer; 0: none */
  /* while it is idle */
  struct ofox_handle *_next, **_link;  /* in its row; '*_link' is this */
  struct ofox_handle *_newer, *_older; /* parked after it, before it */
  unsigned long _taken; /* how many had been taken when it was parked */
};

#define OFOX_HANDLE_ROWS 16

/* Zeroed: none. */
struct ofox_handles {
  struct ofox_handle *_rows[OFOX_HANDLE_ROWS]; /* idle, by plan */
  struct ofox_handle *_newest, *_oldest;
  size_t _idle;
  unsigned long _taken;
};

/* Frees the idle ones. */
void ofox_handles_free(struct ofox_handles *all);

/*
** Takes a handle, configured for that plan if there is one; NULL without
** memory. And returns it; 'keep': as it is configured.
*/
struct ofox_handle *ofox_handles_take(struct ofox_handles *all, uint64_t plan);
void ofox_handles_park(struct ofox_handles *all, struct ofox_handle *h,
                       int keep);

/* As if fresh: it is configured for no plan. */
void ofox_handle_reset(struct ofox_handle *h);

#endif
