#include "io/content_coding.h"

#include <stdlib.h>
#include <string.h>

#include <brotli/decode.h>
#define ZLIB_CONST
#include <zlib.h>

#define PIECE 4096 /* bytes between two stages */
#define WORK 64    /* pieces that are read, at most, for one of output */

/* zlib's way of saying which frame: 15 bits of window and more. */
#define WINDOW 15
#define GZIP_FRAME 16

enum kind { GZIP, DEFLATE, BROTLI, IDENTITY };

static const struct {
  const char *name;
  enum kind kind;
} NAMES[] = {
    {"gzip", GZIP}, {"x-gzip", GZIP},   {"deflate", DEFLATE},
    {"br", BROTLI}, {"none", IDENTITY}, {"identity", IDENTITY},
    {"", IDENTITY},
};

static const char UNKNOWN[] = "a content coding is not supported";
static const char TOO_MANY[] = "too many content codings";
static const char TRAILING[] = "bytes follow the end of the compressed data";
static const char CUT[] = "the compressed data are truncated";
static const char *const INVALID[] = {
    "the data are not valid gzip",
    "the data are not valid deflate",
    "the data are not valid brotli",
};

struct ofox_content_coding_stage {
  struct ofox_content_coding_stage
      *from; /* whose output it reads; NULL: the body */
  enum kind kind;
  int begun; /* there is a decoder */
  int ended; /* all that was read is complete */
  int full;  /* the decoder may have more without more input */
  int again; /* a first member was complete */
  z_stream z;
  BrotliDecoderState *brotli;
  struct ofox_span in;
  char piece[PIECE];
};

/* Uses the same allocator as everything else. */

static void *take(void *user, size_t n) {
  (void)user;
  return malloc(n);
}

static void *take_items(void *user, unsigned items, unsigned size) {
  (void)user;
  return calloc(items, size);
}

static void give(void *user, void *p) {
  (void)user;
  free(p);
}

static void free_stage(struct ofox_content_coding_stage *s) {
  if (s->begun && s->kind == BROTLI)
    BrotliDecoderDestroyInstance(s->brotli);
  else if (s->begun)
    inflateEnd(&s->z);
  free(s);
}

void ofox_content_coding_free(struct ofox_content_coding *c) {
  struct ofox_content_coding_stage *s = c->_inner, *from;
  for (; s != NULL; s = from) {
    from = s->from;
    free_stage(s);
  }
  memset(c, 0, sizeof(*c));
}

/* The first error counts. */
static int fail(struct ofox_content_coding *c, int rc, const char *reason) {
  if (c->error == 0) {
    c->error = rc;
    c->reason = reason;
  }
  return c->error;
}

/* Names */

static void add_one(struct ofox_content_coding *c, struct ofox_span name) {
  const size_t count = sizeof(NAMES) / sizeof(NAMES[0]);
  struct ofox_content_coding_stage *s;
  size_t i = 0;
  while (i < count && !ofox_span_ieq(name, NAMES[i].name))
    i++;
  if (i == count) {
    fail(c, OFOX_ESYNTAX, UNKNOWN);
    return;
  }
  if (NAMES[i].kind == IDENTITY)
    return;
  if (c->_stages == OFOX_CODINGS_MAX) {
    fail(c, OFOX_ESYNTAX, TOO_MANY);
    return;
  }
  s = calloc(1, sizeof(*s));
  if (s == NULL) {
    fail(c, OFOX_EMEM, NULL);
    return;
  }
  s->kind = NAMES[i].kind;
  if (c->_outer != NULL)
    c->_outer->from = s;
  else
    c->_inner = s;
  c->_outer = s;
  c->_stages++;
}

void ofox_content_coding_add(struct ofox_content_coding *c,
                             struct ofox_span value) {
  struct ofox_span name = value;
  size_t i = 0;
  while (i <= value.n && c->error == 0) {
    name.p = value.p + i;
    for (name.n = 0; i < value.n && value.p[i] != ','; i++)
      name.n++;
    i++;
    add_one(c, ofox_span_trim(name));
  }
}

int ofox_content_coding_any(const struct ofox_content_coding *c) {
  return c->_inner != NULL || c->error != 0;
}

/* One stage */

/* Has zlib's frame, as the name says? What comes without has no such byte:
** it would be padding, and not zero. */
static int is_framed(char first) {
  return ((unsigned char)first & 0x8f) == 0x08;
}

static int begin(struct ofox_content_coding_stage *s) {
  int bits = s->kind == GZIP ? WINDOW + GZIP_FRAME : WINDOW;
  if (s->kind == BROTLI) {
    s->brotli = BrotliDecoderCreateInstance(take, give, NULL);
    s->begun = s->brotli != NULL;
    return s->begun ? 0 : OFOX_EMEM;
  }
  if (s->kind == DEFLATE && !is_framed(s->in.p[0]))
    bits = -WINDOW;
  s->z.zalloc = take_items;
  s->z.zfree = give;
  s->begun = inflateInit2(&s->z, bits) == Z_OK;
  return s->begun ? 0 : OFOX_EMEM;
}

static void skip(struct ofox_span *s, size_t left) {
  s->p += s->n - left;
  s->n = left;
}

static int unzip(struct ofox_content_coding *c,
                 struct ofox_content_coding_stage *s, char *out, size_t cap,
                 size_t *n) {
  z_stream *z = &s->z;
  int rc;
  z->next_in = (const unsigned char *)s->in.p;
  z->avail_in = (unsigned)s->in.n;
  z->next_out = (unsigned char *)out;
  z->avail_out = (unsigned)cap;
  rc = inflate(z, Z_SYNC_FLUSH);
  skip(&s->in, z->avail_in);
  *n = cap - z->avail_out;
  s->ended = rc == Z_STREAM_END;
  if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR)
    return 0;
  if (rc == Z_MEM_ERROR)
    return fail(c, OFOX_EMEM, NULL);
  return fail(c, OFOX_ESYNTAX,
              s->again && z->total_out == 0 ? TRAILING : INVALID[s->kind]);
}

static int unbrotli(struct ofox_content_coding *c,
                    struct ofox_content_coding_stage *s, char *out, size_t cap,
                    size_t *n) {
  const unsigned char *from = (const unsigned char *)s->in.p;
  unsigned char *to = (unsigned char *)out;
  size_t left = s->in.n, room = cap;
  BrotliDecoderResult rc;
  BrotliDecoderErrorCode why;
  rc =
      BrotliDecoderDecompressStream(s->brotli, &left, &from, &room, &to, NULL);
  skip(&s->in, left);
  *n = cap - room;
  s->ended = rc == BROTLI_DECODER_RESULT_SUCCESS;
  if (rc != BROTLI_DECODER_RESULT_ERROR)
    return 0;
  why = BrotliDecoderGetErrorCode(s->brotli);
  if (why <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
      why >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
    return fail(c, OFOX_EMEM, NULL);
  return fail(c, OFOX_ESYNTAX, INVALID[BROTLI]);
}

/* More data after a complete stream: only gzip may have another member. */
static int go_on(struct ofox_content_coding *c,
                 struct ofox_content_coding_stage *s) {
  if (s->kind != GZIP)
    return fail(c, OFOX_ESYNTAX, TRAILING);
  s->again = 1;
  s->ended = 0;
  return inflateReset(&s->z) == Z_OK ? 0 : fail(c, OFOX_EMEM, NULL);
}

/* Decodes some of what the stage has. 0, or negative. */
static int run(struct ofox_content_coding *c,
               struct ofox_content_coding_stage *s, char *out, size_t cap,
               size_t *n) {
  int rc = 0;
  *n = 0;
  if (!s->begun && begin(s) != 0)
    return fail(c, OFOX_EMEM, NULL);
  if (s->ended && s->in.n > 0)
    rc = go_on(c, s);
  if (rc != 0 || s->ended)
    return rc;
  return s->kind == BROTLI ? unbrotli(c, s, out, cap, n)
                           : unzip(c, s, out, cap, n);
}

/*
** As ofox_content_coding_next, for one stage and those before it. Nested
** codings can turn a few bytes into unbounded work without any output.
*/
static int pull(struct ofox_content_coding *c,
                struct ofox_content_coding_stage *s, char *out, size_t cap,
                size_t *n) {
  size_t got;
  int rc;
  *n = 0;
  for (;;) {
    if (c->error != 0)
      return c->error;
    if (c->_work == 0)
      return 1;
    c->_work--;
    if (s->in.n == 0 && !s->full) {
      rc = s->from != NULL ? pull(c, s->from, s->piece, PIECE, &got) : 0;
      if (rc != 1 || got == 0)
        return rc;
      s->in.p = s->piece;
      s->in.n = got;
    }
    rc = run(c, s, out, cap, n);
    s->full = *n == cap && rc == 0;
    if (*n > 0) /* also output before an error, which the next call returns */
      return 1;
    if (rc != 0)
      return rc;
  }
}

int ofox_content_coding_next(struct ofox_content_coding *c,
                             struct ofox_span *in, char *out, size_t cap,
                             size_t *n) {
  int rc;
  *n = 0;
  if (c->error != 0 || c->_outer == NULL)
    return c->error;
  c->_outer->in = *in;
  c->_work = WORK;
  rc = pull(c, c->_inner, out, cap, n);
  *in = c->_outer->in;
  c->_outer->in = OFOX_NOSPAN; /* the caller's */
  return rc;
}

int ofox_content_coding_finish(struct ofox_content_coding *c) {
  const struct ofox_content_coding_stage *s;
  for (s = c->_inner; s != NULL && c->error == 0; s = s->from) {
    if (s->begun && !s->ended)
      return fail(c, OFOX_ESYNTAX, s->again ? TRAILING : CUT);
  }
  return c->error;
}
