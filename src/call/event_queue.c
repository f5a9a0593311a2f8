#include "call/event_queue.h"

#include <string.h>

#define QUEUE (64 * 1024) /* bytes after which a reader is waited for */
#define LAST_WORD 64      /* bytes in which a sentinel is looked for */

/* Before the bytes of an event in the queue. */
struct entry {
  size_t n, name;  /* bytes of the event, behind those of its name */
  size_t from, to; /* its text in the transcript */
  size_t whole;
};

void ofox_event_queue_init(struct ofox_event_queue *s,
                           enum ofox_dialect dialect, size_t max_event,
                           size_t max_said) {
  memset(s, 0, sizeof(*s));
  s->dialect = dialect;
  s->_hold = max_event > QUEUE ? max_event : QUEUE;
  ofox_sse_init(&s->_sse, max_event);
  s->_sse.all = 1;
  ofox_stray_lines_init(&s->_stray, dialect, max_event);
  ofox_buf_init(&s->failure, (size_t)-1);
  ofox_buf_init(&s->_queue, (size_t)-1);
  ofox_transcript_init(&s->said, max_said);
}

void ofox_event_queue_free(struct ofox_event_queue *s) {
  ofox_sse_free(&s->_sse);
  ofox_stray_lines_free(&s->_stray);
  ofox_buf_free(&s->failure);
  ofox_buf_free(&s->_queue);
  ofox_transcript_free(&s->said);
  s->_taken = 0;
}

void ofox_event_queue_clear(struct ofox_event_queue *s) {
  ofox_sse_clear(&s->_sse);
  ofox_stray_lines_clear(&s->_stray);
  ofox_buf_clear(&s->failure);
  ofox_buf_clear(&s->_queue);
  ofox_transcript_clear(&s->said);
  s->open = s->ended = s->broken = s->_cut = 0;
  s->outcome = OFOX_OUTCOME_ANSWERED;
  s->chunks = s->_taken = 0;
  s->_begun = s->_finished = 0;
}

static size_t waiting(const struct ofox_event_queue *s) {
  return s->_queue.n - s->_taken;
}

static int fail(struct ofox_event_queue *s, enum ofox_outcome outcome,
                int rc) {
  s->broken = 1;
  s->outcome = outcome;
  return rc;
}

/* What came says that it failed, and how. */
static int fail_as(struct ofox_event_queue *s, struct ofox_span part,
                   enum ofox_class fallback) {
  s->fallback = fallback;
  fail(s, OFOX_OUTCOME_ANSWERED, 0);
  ofox_buf_clear(&s->failure);
  return ofox_buf_addspan(&s->failure, part) == 0 ? OFOX_ESYNTAX : OFOX_EMEM;
}

/* An event whose text is what the transcript has from 'from' on. */
static int queue(struct ofox_event_queue *s, struct ofox_span name,
                 struct ofox_span data, size_t from, int whole) {
  struct entry e;
  char *p;
  int rc = ofox_buf_reserve(&s->_queue, sizeof(e) + name.n + data.n);
  if (rc != 0)
    return rc;
  e.n = data.n;
  e.name = name.n;
  e.from = from;
  e.to = s->said.prose.text.n;
  e.whole = whole != 0;
  p = s->_queue.p + s->_queue.n;
  memcpy(p, &e, sizeof(e));
  p += sizeof(e);
  if (name.n > 0)
    memcpy(p, name.p, name.n);
  if (data.n > 0)
    memcpy(p + name.n, data.p, data.n);
  s->_queue.n += sizeof(e) + name.n + data.n;
  s->chunks += data.n > 0;
  return 0;
}

static int chunk(struct ofox_event_queue *s, struct ofox_span name,
                 struct ofox_span data, const struct ofox_delta *d) {
  size_t from = s->said.prose.text.n;
  int rc = 0;
  if (s->dialect != OFOX_DIALECT_ANY)
    rc = ofox_transcript_add(&s->said, name, data, d);
  if (rc == OFOX_ECAP)
    return fail(s, OFOX_OUTCOME_TOO_LARGE, rc);
  if (rc == 0)
    rc = queue(s, name, data, from, 0);
  s->_begun |= d->begun;
  s->_finished |= d->finished;
  s->ended |= d->last;
  /* an opening without end has to be seen some day */
  s->open |= d->content || d->last || waiting(s) > s->_hold;
  return rc;
}

/* No more text comes: what was half of a character is one now. */
static int settle(struct ofox_event_queue *s) {
  size_t from = s->said.prose.text.n;
  int rc = ofox_content_text_end(&s->said.prose);
  if (rc == 0 && s->said.prose.text.n > from)
    rc = queue(s, ofox_span_of(""), ofox_span_of(""), from, 0);
  return rc == OFOX_ECAP ? fail(s, OFOX_OUTCOME_TOO_LARGE, rc) : rc;
}

/* The sentinel. A response has an end of its own, which must have come. */
static int end(struct ofox_event_queue *s) {
  if (s->dialect == OFOX_DIALECT_RESPONSES)
    return fail(s, OFOX_OUTCOME_STREAM_TRUNCATED, OFOX_ESYNTAX);
  s->ended = s->open = 1;
  return 0;
}

static int take_in(struct ofox_event_queue *s,
                   const struct ofox_sse_event *ev) {
  struct ofox_delta d;
  if (!ofox_transcript_knows(&s->said, ev->type, ev->data, &d))
    ofox_delta_read(s->dialect, ev->type, ev->data, &d);
  if (d.kind == OFOX_DELTA_ERROR)
    return fail_as(s, d.part, d.fallback);
  if (ev->cut && (s->_cut || d.kind == OFOX_DELTA_BROKEN))
    return 0; /* the body ended within it */
  switch (d.kind) {
  case OFOX_DELTA_CHUNK:
    return chunk(s, ev->type, ev->data, &d);
  case OFOX_DELTA_END:
    return end(s);
  case OFOX_DELTA_BROKEN:
    return fail(s, OFOX_OUTCOME_STREAM_JSON, OFOX_ESYNTAX);
  default:
    return 0;
  }
}

/* Lines beside the events have said so. What was said around them, in the
** event 'ev' or in one that is still coming (NULL), is not lost. */
static int fail_by_stray(struct ofox_event_queue *s,
                         const struct ofox_delta *fault, int page,
                         const struct ofox_sse_event *ev) {
  struct ofox_sse_event coming;
  struct ofox_delta d;
  int rc = 0;
  if (ev == NULL && ofox_sse_pending(&s->_sse, &coming))
    ev = &coming;
  if (ev != NULL) {
    ofox_delta_read(s->dialect, ev->type, ev->data, &d);
    if (d.kind == OFOX_DELTA_CHUNK)
      rc = chunk(s, ev->type, ev->data, &d);
  }
  if (rc != 0)
    return rc;
  rc = fail_as(s, fault->part, fault->fallback);
  if (page)
    s->outcome = OFOX_OUTCOME_HTML;
  return rc;
}

/* A line that is in no event; or, with an event or NULL for the end of the
** body, no more of them. */
static int stray(struct ofox_event_queue *s, const struct ofox_sse_event *ev) {
  struct ofox_delta fault;
  int line = ev != NULL && ev->line;
  int page = s->_stray.kind == OFOX_STRAY_PAGE;
  int rc = line ? ofox_stray_lines_line(&s->_stray, ev->data, &fault)
                : ofox_stray_lines_end(&s->_stray, &fault);
  if (rc != 1)
    return rc;
  /* a page behind an answer that was complete has nothing to do with it */
  if (page && ofox_event_queue_is_finished(s))
    return 0;
  return fail_by_stray(s, &fault, page, line ? NULL : ev);
}

static int take_event(struct ofox_event_queue *s,
                      const struct ofox_sse_event *ev) {
  int rc = 0;
  if (s->_stray.kind != OFOX_STRAY_NONE)
    rc = stray(s, ev);
  return rc == 0 ? take_in(s, ev) : rc;
}

/* The sentinel counts before its blank line has come. */
static int look_ahead(struct ofox_event_queue *s) {
  struct ofox_sse_event ev;
  if (!ofox_sse_pending(&s->_sse, &ev) || ev.data.n > LAST_WORD ||
      !ofox_delta_is_end(ev.type, ev.data))
    return 0;
  return take_event(s, &ev);
}

static int take(struct ofox_event_queue *s, const struct ofox_sse_event *ev) {
  int rc;
  if (!ev->line)
    return take_event(s, ev);
  rc = look_ahead(s);
  return rc == 0 && !s->ended ? stray(s, ev) : rc;
}

/* All events that are complete. */
static int drain(struct ofox_event_queue *s) {
  struct ofox_sse_event ev;
  int rc = 0, more = 1;
  while (more == 1 && rc == 0 && !s->ended) {
    more = ofox_sse_next(&s->_sse, &ev);
    if (more == 1)
      rc = take(s, &ev);
  }
  if (rc == 0 && more == OFOX_ECAP)
    return fail(s, OFOX_OUTCOME_STREAM_TOO_LARGE, more);
  if (rc == 0 && more == 0)
    rc = look_ahead(s);
  if (rc == 0 && s->ended)
    rc = settle(s);
  if (rc != 0 || s->ended)
    ofox_sse_clear(&s->_sse);
  if (rc != 0)
    return s->broken && ofox_content_text_end(&s->said.prose) != OFOX_EMEM
               ? OFOX_ESYNTAX
               : OFOX_EMEM;
  return more < 0 ? more : 0;
}

int ofox_event_queue_feed(struct ofox_event_queue *s, const char *p,
                          size_t n) {
  int rc;
  if (s->ended || s->broken)
    return s->broken ? OFOX_ESYNTAX : 0;
  rc = ofox_sse_feed(&s->_sse, p, n);
  return rc == 0 || rc == OFOX_ECAP ? drain(s) : rc;
}

int ofox_event_queue_finish(struct ofox_event_queue *s, int whole) {
  int rc;
  if (s->ended || s->broken)
    return 0;
  s->_cut = !whole;
  ofox_sse_finish(&s->_sse);
  rc = drain(s);
  if (rc == 0 && !s->ended)
    rc = stray(s, NULL);
  return rc == 0 && !s->ended ? settle(s) : rc;
}

int ofox_event_queue_whole(struct ofox_event_queue *s, struct ofox_span body) {
  int rc = 0;
  if (s->dialect != OFOX_DIALECT_ANY)
    rc = ofox_transcript_whole(&s->said, s->dialect, body);
  if (rc == 0)
    rc = queue(s, ofox_span_of(""), body, 0, 1);
  s->open = s->ended = 1;
  return rc;
}

int ofox_event_queue_is_finished(const struct ofox_event_queue *s) {
  return s->_finished != 0 && (s->_begun & ~s->_finished) == 0;
}

/* The queue */

int ofox_event_queue_has_event(const struct ofox_event_queue *s) {
  return s->open && waiting(s) > 0;
}

int ofox_event_queue_is_full(const struct ofox_event_queue *s) {
  /* what is held back cannot be taken */
  return s->open && waiting(s) >= QUEUE;
}

int ofox_event_queue_has_room(const struct ofox_event_queue *s) {
  return !s->open || waiting(s) <= QUEUE / 2;
}

void ofox_event_queue_drop(struct ofox_event_queue *s) {
  ofox_buf_free(&s->_queue);
  s->_taken = 0;
}

/* Gives back what has been taken, at once if it was much. */
static void tidy(struct ofox_event_queue *s) {
  if (s->_taken == s->_queue.n) {
    if (s->_queue.n > QUEUE)
      ofox_buf_free(&s->_queue);
    s->_queue.n = 0;
    s->_taken = 0;
  }
  else if (s->_taken > QUEUE && s->_taken >= s->_queue.n / 2) {
    s->_queue.n -= s->_taken;
    memmove(s->_queue.p, s->_queue.p + s->_taken, s->_queue.n);
    s->_taken = 0;
  }
}

int ofox_event_queue_peek(struct ofox_event_queue *s, struct ofox_event *out) {
  struct entry e;
  tidy(s);
  if (!ofox_event_queue_has_event(s))
    return 0;
  memcpy(&e, s->_queue.p + s->_taken, sizeof(e));
  out->name.p = s->_queue.p + s->_taken + sizeof(e);
  out->name.n = e.name;
  out->data.p = out->name.p + e.name;
  out->data.n = e.n;
  out->text = ofox_transcript_text(&s->said);
  out->text.p += e.from;
  out->text.n = e.to - e.from;
  out->whole = e.whole != 0;
  return 1;
}

void ofox_event_queue_next(struct ofox_event_queue *s) {
  struct entry e;
  if (!ofox_event_queue_has_event(s))
    return;
  memcpy(&e, s->_queue.p + s->_taken, sizeof(e));
  s->_taken += sizeof(e) + e.name + e.n;
}
