#include "transcript.h"

#include <string.h>

void ofox_transcript_init(struct ofox_transcript *t, size_t cap) {
  ofox_buf_init(&t->text, cap);
  ofox_buf_init(&t->_events, cap);
}

void ofox_transcript_free(struct ofox_transcript *t) {
  ofox_buf_free(&t->text);
  ofox_buf_free(&t->_events);
}

void ofox_transcript_clear(struct ofox_transcript *t) {
  ofox_buf_clear(&t->text);
  ofox_buf_clear(&t->_events);
}

int ofox_transcript_add(struct ofox_transcript *t, struct ofox_span data,
                        const struct ofox_delta *d) {
  struct ofox_passage e;
  int rc = 0;
  e.from = t->text.n;
  if (d->text.type == OFOX_JSON_STRING)
    rc = ofox_json_text(d->text, &t->text);
  if (rc != 0 || d->plain)
    return rc;
  e.to = t->text.n;
  e.data = data;
  rc = ofox_buf_reserve(&t->_events, sizeof(e) + data.n);
  if (rc == 0)
    rc = ofox_buf_add(&t->_events, &e, sizeof(e));
  return rc == 0 ? ofox_buf_addspan(&t->_events, data) : rc;
}

int ofox_transcript_next(const struct ofox_transcript *t, size_t *pos,
                         struct ofox_passage *out) {
  if (*pos >= t->_events.n)
    return 0;
  memcpy(out, t->_events.p + *pos, sizeof(*out));
  out->data.p = t->_events.p + *pos + sizeof(*out);
  *pos += sizeof(*out) + out->data.n;
  return 1;
}

size_t ofox_transcript_size(const struct ofox_transcript *t) {
  return t->text.n + t->_events.n;
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
  move(&t->text, room, &to->text);
  move(&t->_events, room + t->text.n, &to->_events);
}
