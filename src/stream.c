#include "stream.h"

#include <string.h>

#define QUEUE (64 * 1024) /* bytes after which a reader is waited for */
#define SHORT 1024        /* bytes of an event that is worth remembering */
#define LAST_WORD 64      /* bytes in which a sentinel is looked for */

/* Before the bytes of an event in the queue. */
struct entry {
  size_t n;
  size_t from, to; /* its text in the transcript */
  int whole;
};

void ofox_stream_init(struct ofox_stream *s, enum ofox_dialect dialect,
                      size_t max_event, size_t max_said) {
  memset(s, 0, sizeof(*s));
  s->dialect = dialect;
  ofox_sse_init(&s->_sse, max_event);
  ofox_buf_init(&s->failure, (size_t)-1);
  ofox_buf_init(&s->_queue, (size_t)-1);
  ofox_buf_init(&s->_before, SHORT);
  ofox_transcript_init(&s->said, max_said);
}

void ofox_stream_free(struct ofox_stream *s) {
  ofox_sse_free(&s->_sse);
  ofox_buf_free(&s->failure);
  ofox_buf_free(&s->_queue);
  ofox_buf_free(&s->_before);
  ofox_transcript_free(&s->said);
  s->_taken = 0;
}

void ofox_stream_clear(struct ofox_stream *s) {
  ofox_sse_clear(&s->_sse);
  ofox_buf_clear(&s->failure);
  ofox_buf_clear(&s->_queue);
  ofox_buf_clear(&s->_before);
  ofox_transcript_clear(&s->said);
  s->open = s->ended = s->broken = 0;
  s->outcome = OFOX_OUTCOME_ANSWERED;
  s->chunks = s->_taken = 0;
  s->_begun = s->_finished = 0;
}

static int fail(struct ofox_stream *s, enum ofox_outcome outcome, int rc) {
  s->broken = 1;
  s->outcome = outcome;
  return rc;
}

static int queue(struct ofox_stream *s, struct ofox_span data, size_t from,
                 int whole) {
  struct entry e;
  int rc = ofox_buf_reserve(&s->_queue, sizeof(e) + data.n);
  if (rc != 0)
    return rc;
  memset(&e, 0, sizeof(e));
  e.n = data.n;
  e.from = from;
  e.to = s->said.text.n;
  e.whole = whole;
  ofox_buf_add(&s->_queue, &e, sizeof(e));
  ofox_buf_addspan(&s->_queue, data);
  s->chunks++;
  return 0;
}

static int chunk(struct ofox_stream *s, struct ofox_span data,
                 const struct ofox_delta *d) {
  size_t from = s->said.text.n;
  int rc = 0;
  if (s->dialect != OFOX_DIALECT_ANY)
    rc = ofox_transcript_add(&s->said, data, d);
  if (rc == OFOX_ECAP)
    return fail(s, OFOX_OUTCOME_TOO_LARGE, rc);
  if (rc == 0)
    rc = queue(s, data, from, 0);
  s->_begun |= d->begun;
  s->_finished |= d->finished;
  s->ended |= d->last;
  /* nobody takes what is held back: a full queue cannot wait for content */
  s->open |= d->content || d->last || ofox_stream_is_full(s);
  return rc;
}

static void understand(struct ofox_stream *s, const struct ofox_sse_event *ev,
                       struct ofox_delta *d) {
  struct ofox_span before = ofox_buf_span(&s->_before);
  if (before.n > 0 && ofox_delta_again(before, &s->_said, ev->data, d))
    return;
  ofox_delta_read(s->dialect, ev->type, ev->data, d);
  if (!d->plain)
    return;
  ofox_buf_clear(&s->_before);
  s->_said = *d;
  if (ofox_buf_addspan(&s->_before, ev->data) == 0)
    s->_said.text.raw.p = s->_before.p + (d->text.raw.p - ev->data.p);
}

static int take_in(struct ofox_stream *s, const struct ofox_sse_event *ev) {
  struct ofox_delta d;
  understand(s, ev, &d);
  switch (d.kind) {
  case OFOX_DELTA_CHUNK:
    return chunk(s, ev->data, &d);
  case OFOX_DELTA_END:
    s->ended = s->open = 1;
    return 0;
  case OFOX_DELTA_ERROR:
    s->fallback = d.fallback;
    fail(s, OFOX_OUTCOME_ANSWERED, 0);
    return ofox_buf_addspan(&s->failure, d.part) == 0 ? OFOX_ESYNTAX
                                                      : OFOX_EMEM;
  case OFOX_DELTA_BROKEN:
    return fail(s, OFOX_OUTCOME_STREAM_JSON, OFOX_ESYNTAX);
  case OFOX_DELTA_SKIP:
    break;
  }
  return 0;
}

/* All events that are complete. */
static int drain(struct ofox_stream *s) {
  struct ofox_span pending;
  struct ofox_sse_event ev;
  int rc = 1;
  while (rc == 1 && !s->ended) {
    rc = ofox_sse_next(&s->_sse, &ev);
    if (rc == 1 && take_in(s, &ev) != 0) {
      ofox_sse_clear(&s->_sse);
      return s->broken ? OFOX_ESYNTAX : OFOX_EMEM;
    }
  }
  if (rc == OFOX_ECAP)
    return fail(s, OFOX_OUTCOME_STREAM_TOO_LARGE, rc);
  pending = ofox_sse_pending(&s->_sse);
  if (rc == 0 && pending.n <= LAST_WORD && ofox_delta_is_end(pending))
    s->ended = s->open = 1;
  return rc < 0 ? rc : 0;
}

int ofox_stream_feed(struct ofox_stream *s, const char *p, size_t n) {
  int rc;
  if (s->ended || s->broken)
    return s->broken ? OFOX_ESYNTAX : 0;
  rc = ofox_sse_feed(&s->_sse, p, n);
  return rc == 0 || rc == OFOX_ECAP ? drain(s) : rc;
}

int ofox_stream_finish(struct ofox_stream *s) {
  if (s->ended || s->broken)
    return 0;
  ofox_sse_finish(&s->_sse);
  return drain(s);
}

int ofox_stream_whole(struct ofox_stream *s, struct ofox_span body) {
  struct ofox_delta d;
  int rc;
  memset(&d, 0, sizeof(d));
  rc = ofox_transcript_add(&s->said, body, &d);
  if (rc == 0)
    rc = queue(s, body, 0, 1);
  s->open = s->ended = 1;
  return rc;
}

int ofox_stream_is_finished(const struct ofox_stream *s) {
  return s->_finished != 0 && (s->_begun & ~s->_finished) == 0;
}

/* The queue */

static size_t waiting(const struct ofox_stream *s) {
  return s->_queue.n - s->_taken;
}

int ofox_stream_has_event(const struct ofox_stream *s) {
  return s->open && waiting(s) > 0;
}

int ofox_stream_is_full(const struct ofox_stream *s) {
  return waiting(s) >= QUEUE;
}

int ofox_stream_has_room(const struct ofox_stream *s) {
  return waiting(s) <= QUEUE / 2;
}

void ofox_stream_drop(struct ofox_stream *s) {
  ofox_buf_free(&s->_queue);
  s->_taken = 0;
}

/* Gives back what has been taken, at once if it was much. */
static void tidy(struct ofox_stream *s) {
  if (s->_taken == s->_queue.n) {
    if (s->_queue.n > QUEUE)
      ofox_buf_free(&s->_queue);
    s->_queue.n = 0;
    s->_taken = 0;
  }
  else if (s->_taken > QUEUE) {
    s->_queue.n -= s->_taken;
    memmove(s->_queue.p, s->_queue.p + s->_taken, s->_queue.n);
    s->_taken = 0;
  }
}

int ofox_stream_peek(struct ofox_stream *s, struct ofox_event *out) {
  struct entry e;
  tidy(s);
  if (!ofox_stream_has_event(s))
    return 0;
  memcpy(&e, s->_queue.p + s->_taken, sizeof(e));
  out->data.p = s->_queue.p + s->_taken + sizeof(e);
  out->data.n = e.n;
  out->text = ofox_buf_span(&s->said.text);
  if (out->text.p != NULL)
    out->text.p += e.from;
  out->text.n = e.to - e.from;
  out->whole = e.whole;
  return 1;
}

void ofox_stream_next(struct ofox_stream *s) {
  struct entry e;
  if (!ofox_stream_has_event(s))
    return;
  memcpy(&e, s->_queue.p + s->_taken, sizeof(e));
  s->_taken += sizeof(e) + e.n;
}
