#include "call/event_queue.h"

#include <string.h>

#include "wire/usage.h"

#define QUEUE (64 * 1024) /* bytes at which reading pauses for the reader */
#define LITTLE 256        /* bytes that a slow stream has in its queue */
#define LAST_WORD 64      /* bytes in which a sentinel is looked for */
#define USAGE 4096        /* bytes of it that are kept */

void ofox_event_queue_init(struct ofox_event_queue *s,
                           const struct ofox_dialect *dialect,
                           size_t max_event, size_t max_said) {
  memset(s, 0, sizeof(*s));
  s->dialect = dialect;
  s->_hold = max_event > QUEUE ? max_event : QUEUE;
  ofox_sse_init(&s->_sse, max_event);
  s->_sse.all = 1;
  ofox_stray_lines_init(&s->_stray, dialect, max_event);
  ofox_buf_init(&s->failure, (size_t)-1);
  ofox_buf_init(&s->usage, USAGE);
  ofox_buf_init(&s->_latest, (size_t)-1);
  ofox_buf_init(&s->_queue, (size_t)-1);
  ofox_transcript_init(&s->said, max_said);
}

void ofox_event_queue_free(struct ofox_event_queue *s) {
  ofox_sse_free(&s->_sse);
  ofox_stray_lines_free(&s->_stray);
  ofox_buf_free(&s->failure);
  ofox_buf_free(&s->usage);
  ofox_buf_free(&s->_latest);
  ofox_transcript_free(&s->said);
  ofox_event_queue_drop(s);
}

void ofox_event_queue_clear(struct ofox_event_queue *s) {
  ofox_sse_clear(&s->_sse);
  ofox_stray_lines_clear(&s->_stray);
  ofox_buf_clear(&s->failure);
  ofox_buf_clear(&s->usage);
  ofox_buf_clear(&s->_latest);
  ofox_buf_clear(&s->_queue);
  ofox_transcript_clear(&s->said);
  s->open = s->ended = s->broken = s->_cut = 0;
  memset(&s->texts, 0, sizeof(s->texts));
  s->outcome = OFOX_OUTCOME_ANSWERED;
  s->chunks = s->_taken = s->_waiting = 0;
  s->_begun = s->_finished = 0;
}

static int fail(struct ofox_event_queue *s, enum ofox_outcome outcome,
                int rc) {
  s->broken = 1;
  s->outcome = outcome;
  return rc;
}

/* The received data report a failure. */
static int fail_as(struct ofox_event_queue *s, struct ofox_span part,
                   enum ofox_class fallback) {
  s->fallback = fallback;
  fail(s, OFOX_OUTCOME_ANSWERED, 0);
  ofox_buf_clear(&s->failure);
  return ofox_buf_addspan(&s->failure, part) == 0 ? OFOX_ESYNTAX : OFOX_EMEM;
}

/* An entry whose text is the transcript's from e->from on, and room for 'n'
** bytes after it. */
static char *queue(struct ofox_event_queue *s, struct ofox_entry *e,
                   size_t n) {
  char *p;
  if (ofox_buf_reserve(&s->_queue, sizeof(*e) + n) != 0)
    return NULL;
  e->to = s->said.prose.text.n;
  p = s->_queue.p + s->_queue.n;
  memcpy(p, e, sizeof(*e));
  s->_queue.n += sizeof(*e) + n;
  s->_waiting += sizeof(*e) + e->name + e->data;
  s->chunks += e->data > 0;
  return p + sizeof(*e);
}

static int queue_whole(struct ofox_event_queue *s, struct ofox_entry *e,
                       struct ofox_span name, struct ofox_span data) {
  char *p;
  e->name = name.n;
  e->data = data.n;
  p = queue(s, e, name.n + data.n);
  if (p == NULL)
    return OFOX_EMEM;
  if (name.n > 0)
    memcpy(p, name.p, name.n);
  if (data.n > 0)
    memcpy(p + name.n, data.p, data.n);
  return 0;
}

/* What the last of like events counts is said, though they were not kept. */
static int flush(struct ofox_event_queue *s) {
  struct ofox_event ev;
  struct ofox_span data;
  size_t n = s->_latest.n;
  int rc;
  if (n == 0)
    return 0;
  ev._entry = s->_news;
  rc = ofox_buf_reserve(&s->_latest, s->_news.name + s->_news.data);
  if (rc != 0)
    return rc;
  ofox_event_find(&ev, &s->said, s->_latest.p);
  ofox_event_copy(&ev, s->_latest.p + n);
  data.p = s->_latest.p + n + ev.name;
  data.n = ev.data;
  ofox_usage_keep(&s->usage, s->dialect->counts,
                  ofox_json_get(ofox_json_root(data), s->dialect->usage));
  rc = ofox_transcript_keep(&s->said, data);
  ofox_buf_clear(&s->_latest);
  return rc == OFOX_ECAP ? 0 : rc;
}

static int chunk(struct ofox_event_queue *s, struct ofox_span name,
                 struct ofox_span data, const struct ofox_delta *d) {
  struct ofox_entry e = {0};
  int rc = 0;
  if (d->usage.type == OFOX_JSON_NONE)
    rc = flush(s);
  ofox_buf_clear(&s->_latest);
  e.from = s->said.prose.text.n;
  if (rc == 0 && s->dialect->due != NULL)
    rc = ofox_transcript_add(&s->said, name, data, d);
  if (rc == OFOX_ECAP)
    return fail(s, OFOX_OUTCOME_TOO_LARGE, rc);
  if (rc == 0)
    rc = queue_whole(s, &e, name, data);
  ofox_usage_keep(&s->usage, s->dialect->counts, d->usage);
  s->_begun |= d->begun;
  s->_finished |= d->finished;
  s->ended |= d->last;
  /* an endless opening must be delivered eventually */
  s->open |= d->content || d->last || s->_waiting > s->_hold;
  return rc;
}

/* An event like the one kept last, which was not an opening: only the
** difference is queued. */
static int again(struct ofox_event_queue *s, const struct ofox_sse_event *ev,
                 const struct ofox_holes *h) {
  struct ofox_entry e;
  size_t n;
  char *p;
  int i, rc;
  e.name = ev->type.n;
  e.data = ev->data.n;
  e.from = s->said.prose.text.n;
  n = ofox_entry_differ(&e, &s->said, h);
  rc = ofox_transcript_again(&s->said, h);
  if (rc == OFOX_ECAP)
    return fail(s, OFOX_OUTCOME_TOO_LARGE, rc);
  p = rc == 0 ? queue(s, &e, n) : NULL;
  if (p == NULL)
    return OFOX_EMEM;
  for (i = 0; i < h->n; i++) {
    memcpy(p, h->at[i].raw.p, h->at[i].raw.n);
    p += h->at[i].raw.n;
  }
  s->open = 1;
  if (!s->dialect->runs || h->n < 2)
    return 0;
  s->_news = e;
  ofox_buf_clear(&s->_latest);
  return ofox_buf_add(&s->_latest, p - n, n);
}

/* End of the text: an incomplete character is completed. */
static int settle(struct ofox_event_queue *s) {
  struct ofox_entry e = {0};
  int rc = flush(s);
  e.from = s->said.prose.text.n;
  if (rc == 0)
    rc = ofox_content_text_end(&s->said.prose);
  if (rc == 0 && s->said.prose.text.n > e.from)
    rc = queue_whole(s, &e, ofox_span_of(""), ofox_span_of(""));
  return rc == OFOX_ECAP ? fail(s, OFOX_OUTCOME_TOO_LARGE, rc) : rc;
}

/* The sentinel. An end of the dialect's own must precede it. */
static int end(struct ofox_event_queue *s) {
  if (s->dialect->strict && !ofox_event_queue_is_finished(s))
    return fail(s, OFOX_OUTCOME_STREAM_TRUNCATED, OFOX_ESYNTAX);
  s->ended = s->open = 1;
  return 0;
}

static int take_in(struct ofox_event_queue *s,
                   const struct ofox_sse_event *ev) {
  struct ofox_holes h;
  struct ofox_delta d;
  if (ofox_transcript_knows(&s->said, ev->type, ev->data, &h))
    return ev->cut && s->_cut ? 0 : again(s, ev, &h);
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

/* Lines outside of events have reported a failure. Lines before them, in the
** event 'ev' or in an incomplete one (NULL), are not lost. */
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

/* A line outside of events; or, with an event or NULL for the end of the
** body, the end of such lines. */
static int stray(struct ofox_event_queue *s, const struct ofox_sse_event *ev) {
  struct ofox_delta fault;
  int line = ev != NULL && ev->line;
  int page = s->_stray.kind == OFOX_STRAY_PAGE;
  int rc = line ? ofox_stray_lines_line(&s->_stray, ev->data, &fault)
                : ofox_stray_lines_end(&s->_stray, &fault);
  if (rc != 1)
    return rc;
  /* a page after a complete answer is unrelated to it */
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

/* The sentinel counts before its blank line has arrived. */
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

int ofox_event_queue_texts(struct ofox_event_queue *s, struct ofox_span b) {
  struct ofox_span piece = ofox_json_stream_next(&s->texts, &b);
  int rc = 0;
  while (rc == 0 && piece.n > 0) {
    rc = ofox_event_queue_feed(s, piece.p, piece.n);
    piece = ofox_json_stream_next(&s->texts, &b);
  }
  return rc;
}

int ofox_event_queue_bytes(struct ofox_event_queue *s, struct ofox_span b) {
  struct ofox_entry e = {0};
  if (b.n == 0)
    return 0;
  s->open = 1;
  return queue_whole(s, &e, ofox_span_of(""), b);
}

/* The last line need not end; one that is no JSON has been cut. */
static int finish_line(struct ofox_event_queue *s, int whole) {
  struct ofox_span rest =
      whole ? ofox_json_stream_end(&s->texts) : OFOX_NOSPAN;
  int rc = rest.n > 0 ? ofox_event_queue_feed(s, rest.p, rest.n) : 0;
  if (s->broken && s->outcome == OFOX_OUTCOME_STREAM_JSON)
    s->outcome = OFOX_OUTCOME_STREAM_TRUNCATED;
  return rc;
}

int ofox_event_queue_finish(struct ofox_event_queue *s, int whole) {
  int rc;
  if (s->ended || s->broken)
    return flush(s);
  rc = finish_line(s, whole);
  if (rc != 0 || s->ended)
    return flush(s) != 0 ? OFOX_EMEM : rc;
  s->_cut = !whole;
  ofox_sse_finish(&s->_sse);
  rc = drain(s);
  if (rc == 0 && !s->ended)
    rc = stray(s, NULL);
  if (rc == 0 && !s->ended)
    rc = settle(s);
  return s->broken && flush(s) != 0 ? OFOX_EMEM : rc;
}

int ofox_event_queue_whole(struct ofox_event_queue *s, struct ofox_span body) {
  struct ofox_entry e = {0};
  int rc = 0;
  e.whole = 1;
  if (s->dialect->due != NULL)
    rc = ofox_transcript_whole(&s->said, s->dialect, body);
  if (rc == 0)
    rc = queue_whole(s, &e, ofox_span_of(""), body);
  ofox_usage_keep(&s->usage, 0,
                  ofox_json_get(ofox_json_root(body), s->dialect->usage));
  s->open = s->ended = 1;
  return rc;
}

int ofox_event_queue_is_finished(const struct ofox_event_queue *s) {
  return s->_finished != 0 && (s->_begun & ~s->_finished) == 0;
}

/* The queue */

int ofox_event_queue_has_event(const struct ofox_event_queue *s) {
  return s->open && s->_queue.n > s->_taken;
}

int ofox_event_queue_is_full(const struct ofox_event_queue *s) {
  /* events held back cannot be taken */
  return s->open && s->_waiting >= QUEUE;
}

int ofox_event_queue_has_room(const struct ofox_event_queue *s) {
  return !s->open || s->_waiting <= QUEUE / 2;
}

void ofox_event_queue_drop(struct ofox_event_queue *s) {
  ofox_buf_free(&s->_queue);
  s->_taken = s->_waiting = 0;
}

/* Frees the memory of taken events, immediately if it was much, and the room
** that an opening took where less is enough. */
static void tidy(struct ofox_event_queue *s) {
  size_t n = s->_queue.n;
  if (n > 0 && s->_taken == n) {
    if (n > s->_room)
      s->_room = n;
    if (n > QUEUE || (n <= LITTLE && s->_room > LITTLE)) {
      ofox_buf_free(&s->_queue);
      s->_room = 0;
    }
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
  tidy(s);
  if (!ofox_event_queue_has_event(s))
    return 0;
  memcpy(&out->_entry, s->_queue.p + s->_taken, sizeof(out->_entry));
  ofox_event_find(out, &s->said,
                  s->_queue.p + s->_taken + sizeof(out->_entry));
  return 1;
}

void ofox_event_queue_next(struct ofox_event_queue *s,
                           const struct ofox_event *ev) {
  s->_waiting -= sizeof(ev->_entry) + ev->name + ev->data;
  s->_taken += sizeof(ev->_entry) + ev->_size;
}
