#include "io/drain.h"

/* Limit of what is read after a stream to keep its connection. */
#define DRAIN_BYTES (64 * 1024)
#define DRAIN_SECONDS 1.0

int ofox_drain_start(struct ofox_transfer *t, double now) {
  curl_off_t sent = 0;
  t->version = ofox_call_headers(t->call)->version;
  ofox_content_coding_free(&t->coding);
  ofox_call_let_go(t->call);
  t->call = NULL;
  t->traffic->draining++;
  t->drained_by = now + DRAIN_SECONDS;
  ofox_transfer_expect(t);
  curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
  /* the call owns the bytes of the request, and the form */
  return t->form == NULL && sent >= 0 && (size_t)sent >= t->upload ? 0 : -1;
}

size_t ofox_drain_take(struct ofox_transfer *t, size_t n) {
  t->drained += n;
  return t->drained <= DRAIN_BYTES ? n : 0;
}
