#include "io/transfer.h"

#include <math.h>

double ofox_transfer_due(const struct ofox_transfer *t) {
  t->traffic->checks++;
  return t->call != NULL ? ofox_call_due(t->call) : t->drained_by;
}

void ofox_transfer_expect(struct ofox_transfer *t) {
  ofox_dues_expect(&t->traffic->dues, &t->due, ofox_transfer_due(t));
}

void ofox_transfer_noted(struct ofox_transfer *t) {
  t->progress = t->traffic->turn;
  ofox_transfer_expect(t);
}

int ofox_transfer_is_silent(const struct ofox_transfer *t, double patience,
                            double now) {
  const struct ofox_call *c = t->call;
  double since, heard;
  if (c == NULL || ofox_call_is_paused(c))
    return 0;
  heard = ofox_sockets_heard(&t->traffic->sockets, &t->socket);
  since = fmax(t->asked, ofox_call_heard(c));
  return now - since >= patience && heard <= since + (now - since) / 2;
}

int ofox_transfer_sent(struct ofox_transfer *t) {
  long n = 0;
  return !t->refused && t->easy != NULL && t->sends > 0 &&
         curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &n) == CURLE_OK &&
         n > 0;
}
