#include "io/handles.h"

#include <stdlib.h>
#include <string.h>

/* An idle handle is about 10 KB. */
#define FEW 16          /* idle handles allowed for different plans */
#define MOST 256        /* idle ones */
#define LONG_TIME 1000L /* takes after which a surplus handle is freed */

static struct ofox_handle **row_of(struct ofox_handles *all, uint64_t plan) {
  return &all->_rows[plan % OFOX_HANDLE_ROWS];
}

void ofox_handle_reset(struct ofox_handle *h) {
  curl_easy_reset(h->easy);
  curl_url_cleanup(h->url);
  h->url = NULL;
  ofox_header_lines_free(&h->lines);
  h->first = NULL;
  h->plan = 0;
  h->sends = OFOX_SENDS_NOTHING;
  h->fresh = 0;
  h->destination = h->unix_key = 0;
}

static struct ofox_handle *make(void) {
  struct ofox_handle *h = calloc(1, sizeof(*h));
  if (h != NULL && (h->easy = curl_easy_init()) == NULL) {
    free(h);
    h = NULL;
  }
  return h;
}

static void destroy(struct ofox_handle *h) {
  curl_easy_cleanup(h->easy);
  curl_url_cleanup(h->url);
  ofox_header_lines_free(&h->lines);
  free(h);
}

/* Removes it from the idle handles. */
static struct ofox_handle *take(struct ofox_handles *all,
                                struct ofox_handle *h) {
  *h->_link = h->_next;
  if (h->_next != NULL)
    h->_next->_link = h->_link;
  *(h->_newer != NULL ? &h->_newer->_older : &all->_newest) = h->_older;
  *(h->_older != NULL ? &h->_older->_newer : &all->_oldest) = h->_newer;
  all->_idle--;
  return h;
}

struct ofox_handle *ofox_handles_take(struct ofox_handles *all,
                                      uint64_t plan) {
  struct ofox_handle *h = *row_of(all, plan);
  all->_taken++;
  while (h != NULL && h->plan != plan)
    h = h->_next;
  if (h == NULL && all->_idle < FEW)
    return make();
  return take(all, h != NULL ? h : all->_oldest);
}

void ofox_handles_park(struct ofox_handles *all, struct ofox_handle *h,
                       int keep) {
  struct ofox_handle **row;
  h->transfer = NULL;
  if (!keep || h->plan == 0)
    ofox_handle_reset(h);
  row = row_of(all, h->plan);
  h->_next = *row;
  h->_link = row;
  *row = h;
  if (h->_next != NULL)
    h->_next->_link = &h->_next;
  h->_newer = NULL;
  h->_older = all->_newest;
  *(h->_older != NULL ? &h->_older->_newer : &all->_oldest) = h;
  all->_newest = h;
  h->_taken = all->_taken;
  all->_idle++;
  if (all->_idle > MOST ||
      (all->_idle > FEW && all->_taken - all->_oldest->_taken > LONG_TIME))
    destroy(take(all, all->_oldest));
}

void ofox_handles_free(struct ofox_handles *all) {
  struct ofox_handle *h, *next;
  for (h = all->_oldest; h != NULL; h = next) {
    next = h->_newer;
    destroy(h);
  }
  memset(all, 0, sizeof(*all));
}
