/*
** Fuzz target: any bytes as a coded body, cut where the input says, come out
** as they do in one piece, and what zlib itself deflated comes out as it was.
*/
#include "../../src/io/content_coding.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#define CAP (1 << 18)
#define SILENT 100 /* times that much work may come to nothing */
#define MUST(x)                                                               \
  do {                                                                        \
    if (!(x))                                                                 \
      abort();                                                                \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
  char *p;
  size_t n;
  int rc; /* of the end */
};

static const char *const LISTS[] = {"gzip", "deflate", "br", "br, gzip",
                                    "gzip, identity, deflate"};

/* The pieces are copies that go as soon as the decoder has taken them. */
static int piece(struct ofox_content_coding *c, struct result *r,
                 const char *p, size_t n, size_t room) {
  char *copy = malloc(n + (n == 0)), *out = malloc(room);
  struct ofox_span in = {copy, n};
  size_t got;
  int rc, silent = 0;
  MUST(copy != NULL && out != NULL);
  memcpy(copy, p, n);
  while ((rc = ofox_content_coding_next(c, &in, out, room, &got)) == 1) {
    MUST(got <= room);
    silent += got == 0;
    if (got > CAP - r->n || silent > SILENT)
      break; /* a bomb: enough of it */
    memcpy(r->p + r->n, out, got);
    r->n += got;
  }
  MUST(rc != 0 || in.n == 0);
  free(copy);
  free(out);
  return rc;
}

static void decode(struct result *r, const char *list, const char *p, size_t n,
                   size_t step, size_t room) {
  struct ofox_content_coding c;
  size_t at = 0, take;
  memset(&c, 0, sizeof(c));
  r->n = 0;
  ofox_content_coding_add(&c, ofox_span_of(list));
  do {
    take = n - at < step ? n - at : step;
    r->rc = piece(&c, r, p + at, take, room);
    at += take;
  } while (r->rc == 0 && at < n);
  if (r->rc == 0)
    r->rc = ofox_content_coding_finish(&c);
  MUST(r->rc >= 0 || c.reason != NULL);
  ofox_content_coding_free(&c);
  ofox_content_coding_free(&c);
}

/* Deflated by zlib in members of 'step' bytes. */
static void round_trip(struct result *r, const char *p, size_t n,
                       size_t step) {
  static unsigned char coded[1 << 16];
  size_t at = 0, total = 0, take;
  z_stream z;
  do {
    take = n - at < step ? n - at : step;
    memset(&z, 0, sizeof(z));
    MUST(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, 0) == Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)(p + at);
    z.avail_in = (unsigned)take;
    z.next_out = coded + total;
    z.avail_out = (unsigned)(sizeof(coded) - total);
    MUST(deflate(&z, Z_FINISH) == Z_STREAM_END);
    total += z.total_out;
    deflateEnd(&z);
    at += take;
  } while (at < n);
  decode(r, "x-gzip", (char *)coded, total, step, 1 + step % 50);
  MUST(r->rc == 0 && r->n == n && memcmp(r->p, p, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char one[CAP], other[CAP];
  struct result whole = {one, 0, 0}, cut = {other, 0, 0};
  const char *list, *text = (const char *)data + 2;
  size_t step;
  if (size < 2 || size > 1000)
    return 0;
  list = LISTS[data[0] % (sizeof(LISTS) / sizeof(LISTS[0]))];
  step = 1 + data[1] % 64;
  decode(&whole, list, text, size - 2, size, 4096);
  decode(&cut, list, text, size - 2, step, 1 + data[1]);
  /* of what is broken, more or less may come before that is noticed */
  MUST(memcmp(one, other, whole.n < cut.n ? whole.n : cut.n) == 0);
  MUST(whole.rc == 1 || cut.rc == 1 || whole.rc == cut.rc);
  MUST(whole.rc != 0 || whole.n == cut.n);
  round_trip(&cut, text, size - 2, 20 + step);
  return 0;
}
