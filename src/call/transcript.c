#include "call/transcript.h"

#include <string.h>

#define MODEL (1024 * 1024) /* bytes of an event that others may be like */

void ofox_transcript_init(struct ofox_transcript *t, size_t cap) {
  memset(t, 0, sizeof(*t));
  ofox_content_text_init(&t->prose, cap);
  ofox_buf_init(&t->_events, cap);
}

void ofox_transcript_free(struct ofox_transcript *t) {
  ofox_content_text_free(&t->prose);
  ofox_buf_free(&t->_events);
  t->_data = OFOX_NOSPAN;
}

void ofox_transcript_clear(struct ofox_transcript *t) {
  ofox_content_text_clear(&t->prose);
  ofox_buf_clear(&t->_events);
  t->_data = OFOX_NOSPAN;
}

int ofox_transcript_knows(const struct ofox_transcript *t,
                          struct ofox_span name, struct ofox_span data,
                          struct ofox_holes *h) {
  return t->_data.p != NULL && data.n <= MODEL && name.n == t->_name.n &&
         (name.n == 0 || memcmp(name.p, t->_name.p, name.n) == 0) &&
         ofox_delta_again(t->_data, &t->_holes, data, h);
}

size_t ofox_transcript_model(const struct ofox_transcript *t,
                             const struct ofox_holes **h) {
  *h = &t->_holes;
  return (size_t)(t->_name.p - t->_events.p);
}

const char *ofox_transcript_at(const struct ofox_transcript *t, size_t where) {
  return t->_events.p + where;
}

int ofox_transcript_again(struct ofox_transcript *t,
                          const struct ofox_holes *h) {
  return ofox_content_text_string(&t->prose, h->at[h->text]);
}

/* 'from': where the text of the event begins. */
static int keep(struct ofox_transcript *t, struct ofox_span name,
                struct ofox_span data, size_t from) {
  struct ofox_passage e;
  int rc;
  e.from = from;
  e.to = t->prose.text.n;
  e.name = name;
  e.data = data;
  t->_data = OFOX_NOSPAN;
  rc = ofox_buf_reserve(&t->_events, sizeof(e) + name.n + data.n);
  if (rc != 0)
    return rc;
  ofox_buf_add(&t->_events, &e, sizeof(e));
  ofox_buf_addspan(&t->_events, name);
  return ofox_buf_addspan(&t->_events, data);
}

/* Where the event kept last differs from others: the next may be like it. */
static void remember(struct ofox_transcript *t, struct ofox_span name,
                     struct ofox_span data, const struct ofox_holes *h) {
  const char *end = t->_events.p + t->_events.n;
  t->_data.p = end - data.n;
  t->_data.n = data.n;
  t->_name.p = end - data.n - name.n;
  t->_name.n = name.n;
  t->_holes = *h;
  ofox_delta_move(&t->_holes, data.p, t->_data.p);
  t->plain++;
}

static int add_text(struct ofox_content_text *w, const struct ofox_delta *d) {
  if (d->text.type == OFOX_JSON_STRING)
    return ofox_content_text_string(w, d->text);
  return d->text.type != OFOX_JSON_NONE ? d->words(w, d->text) : 0;
}

int ofox_transcript_add(struct ofox_transcript *t, struct ofox_span name,
                        struct ofox_span data, const struct ofox_delta *d) {
  size_t from = t->prose.text.n;
  int rc = add_text(&t->prose, d);
  if (rc == 0 && (d->finished & 1))
    rc = ofox_content_text_end(&t->prose);
  if (rc == 0)
    rc = keep(t, name, data, from);
  if (rc == 0 && d->plain && data.n <= MODEL)
    remember(t, name, data, &d->holes);
  return rc;
}

int ofox_transcript_whole(struct ofox_transcript *t,
                          const struct ofox_dialect *dialect,
                          struct ofox_span body) {
  struct ofox_json root = ofox_json_root(body);
  int rc = 0;
  t->prose.text.cap = t->_events.cap = (size_t)-1;
  if (dialect->whole != NULL)
    rc = dialect->whole(&t->prose, root);
  if (rc == 0)
    rc = ofox_content_text_end(&t->prose);
  return rc == 0 ? keep(t, ofox_span_of(""), body, 0) : rc;
}

int ofox_transcript_keep(struct ofox_transcript *t, struct ofox_span data) {
  return keep(t, ofox_span_of(""), data, t->prose.text.n);
}

struct ofox_span ofox_transcript_text(const struct ofox_transcript *t) {
  return ofox_buf_span(&t->prose.text);
}

int ofox_transcript_next(const struct ofox_transcript *t, size_t *pos,
                         struct ofox_passage *out) {
  if (*pos >= t->_events.n)
    return 0;
  memcpy(out, t->_events.p + *pos, sizeof(*out));
  out->name.p = t->_events.p + *pos + sizeof(*out);
  out->data.p = out->name.p + out->name.n;
  *pos += sizeof(*out) + out->name.n + out->data.n;
  return 1;
}

size_t ofox_transcript_size(const struct ofox_transcript *t) {
  return t->prose.text.n + t->_events.n;
}

static void move(const struct ofox_buf *b, char *room, struct ofox_buf *to) {
  ofox_buf_init(to, b->n);
  to->p = room;
  to->n = b->n;
  if (b->n > 0)
    memcpy(room, b->p, b->n);
}

void ofox_transcript_copy(const struct ofox_transcript *t, char *room,
                          struct ofox_transcript *to) {
  memset(to, 0, sizeof(*to));
  move(&t->prose.text, room, &to->prose.text);
  move(&t->_events, room + t->prose.text.n, &to->_events);
}
