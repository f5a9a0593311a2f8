#include "io/receive.h"

#include "io/clocks.h"
#include "io/drain.h"
#include "io/transfer.h"
#include "wire/words.h"

#define DECODED (16 * 1024) /* bytes that are passed on at a time */
#define MUCH (1024 * 1024)  /* decoded bytes after which others get a turn */

/*
** libcurl decodes transfer codings by itself, and would for as long as a few
** bytes expand: only chunked is accepted. 0, or negative: stop.
*/
static int check_way(struct ofox_transfer *t, const struct ofox_headers *h) {
  struct ofox_span value;
  size_t pos = 0;
  while (ofox_headers_each(h, "transfer-encoding", &pos, &value)) {
    if (value.n == 0 ||
        ofox_words_has("chunked identity chunked,identity identity,chunked",
                       value))
      continue;
    t->coding.error = OFOX_ESYNTAX;
    t->coding.reason = "an unrequested transfer coding";
    return OFOX_ESYNTAX;
  }
  return 0;
}

/* Only the first and last lines of a head need a time. */
static double moment_of(const struct ofox_call *c, const char *p, size_t n) {
  return n <= sizeof("\r\n") - 1 || *p == 'H' ? ofox_clocks_now()
                                              : ofox_call_heard(c);
}

size_t ofox_receive_header(char *p, size_t size, size_t n, void *user) {
  struct ofox_transfer *t = ((struct ofox_handle *)user)->transfer;
  const struct ofox_headers *h;
  int trailer;
  if (t->call == NULL)
    return ofox_drain_take(t, size * n);
  h = ofox_call_headers(t->call);
  trailer = h->complete;
  if (ofox_call_head(t->call, p, size * n, moment_of(t->call, p, size * n)) !=
          0 ||
      (h->complete && !trailer && check_way(t, h) != 0))
    return 0;
  t->progress = t->traffic->turn;
  if (h->complete) /* before that, no limit is nearer */
    ofox_transfer_noted(t);
  return size * n;
}

/* Determines the codings of a body, when it begins. */
static void find_coding(struct ofox_transfer *t) {
  const struct ofox_headers *h = ofox_call_headers(t->call);
  struct ofox_span value;
  size_t pos = 0;
  while (!t->looked && ofox_headers_each(h, "content-encoding", &pos, &value))
    ofox_content_coding_add(&t->coding, value);
  t->looked = 1;
}

/* Passes decoded bytes of the body to the call. 0, or negative: stop. */
static int hand_on(struct ofox_transfer *t, const char *p, size_t n,
                   double now) {
  struct ofox_call *c = t->call;
  int rc = ofox_call_body(c, p, n, now);
  if (rc == 0 && c->state == OFOX_DONE)
    rc = ofox_drain_start(t, now);
  return rc;
}

/*
** Bytes of a coded body: 0, negative, or 1: the same bytes must be passed
** again, since the reader is slow or this took long. A few of them may expand
** to very many, so both are checked in the middle of them, too.
*/
static int decode(struct ofox_transfer *t, const char *p, size_t n,
                  double now) {
  struct ofox_span in = {p, n};
  char out[DECODED];
  size_t skip = t->taken < n ? t->taken : n, got, done = 0;
  int rc = 1;
  in.p += skip;
  in.n -= skip;
  t->taken -= skip;
  while (rc == 1) {
    t->traffic->resume |= done >= MUCH;
    if (done >= MUCH || ofox_call_is_full(t->call)) {
      t->taken += n - in.n;
      return 1;
    }
    rc = ofox_content_coding_next(&t->coding, &in, out, sizeof(out), &got);
    done += got > 0 ? got : sizeof(out);
    if (rc == OFOX_EMEM)
      ofox_call_starve(t->call);
    /* its headers say more than is true: there may be words in it as it is */
    if (rc == OFOX_ESYNTAX && ofox_call_is_bare_failure(t->call)) {
      ofox_content_coding_free(&t->coding);
      return hand_on(t, p, n, now);
    }
    if (rc == 1 && got > 0 && (rc = hand_on(t, out, got, now)) == 0)
      rc = t->call != NULL; /* else the stream has ended: drain the rest */
  }
  return rc;
}

size_t ofox_receive_body(char *p, size_t size, size_t n, void *user) {
  struct ofox_transfer *t = ((struct ofox_handle *)user)->transfer;
  struct ofox_call *c = t->call;
  double now;
  int rc = 1; /* the reader is slow */
  t->progress = t->traffic->turn;
  if (c == NULL)
    return ofox_drain_take(t, size * n);
  now = ofox_clocks_now();
  find_coding(t);
  if (ofox_content_coding_any(&t->coding))
    rc = decode(t, p, size * n, now);
  else if (!ofox_call_is_full(c))
    rc = hand_on(t, p, size * n, now);
  if (rc == 1) {
    ofox_call_pause(c, 1, now);
    return CURL_WRITEFUNC_PAUSE;
  }
  return rc == 0 ? size * n : 0;
}
