/*
** Fuzz target: any bytes as an event stream, cut where the input says. The
** events are those that a plain reading of the standard finds in the whole.
*/
#include "../../src/wire/sse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CAP 200
#define MUST(x)                                                               \
  do {                                                                        \
    if (!(x))                                                                 \
      abort();                                                                \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A reading that has all of the text at hand. */
struct plain {
  struct ofox_span rest;
  char data[1 << 16], type[1 << 12], id[1 << 12];
  size_t data_n, type_n, id_n;
  int has_data;
};

/* 1: a line, without its end; 2: one that the text's end has cut; 0: none. */
static int line(struct plain *t, struct ofox_span *out) {
  size_t i = 0;
  *out = t->rest;
  if (t->rest.n == 0)
    return 0;
  while (i < t->rest.n && t->rest.p[i] != '\n' && t->rest.p[i] != '\r')
    i++;
  out->n = i;
  if (i == t->rest.n) {
    t->rest.n = 0;
    return 2;
  }
  if (t->rest.p[i] == '\r' && i + 1 < t->rest.n && t->rest.p[i + 1] == '\n')
    i++;
  t->rest.p += i + 1;
  t->rest.n -= i + 1;
  return 1;
}

static void set(char *to, size_t *n, struct ofox_span v) {
  if (v.n > 0)
    memcpy(to, v.p, v.n);
  *n = v.n;
}

static void field(struct plain *t, struct ofox_span l) {
  struct ofox_span name = l, value = {l.p + l.n, 0};
  const char *colon = memchr(l.p, ':', l.n);
  if (colon != NULL) {
    name.n = (size_t)(colon - l.p);
    value.p = colon + 1;
    value.n = (size_t)(l.p + l.n - value.p);
    if (value.n > 0 && *value.p == ' ') {
      value.p++;
      value.n--;
    }
  }
  if (ofox_span_eq(name, "data")) {
    if (t->has_data)
      t->data[t->data_n++] = '\n';
    if (value.n > 0)
      memcpy(t->data + t->data_n, value.p, value.n);
    t->data_n += value.n;
    t->has_data = 1;
  }
  else if (ofox_span_eq(name, "event"))
    set(t->type, &t->type_n, value);
  else if (ofox_span_eq(name, "id") &&
           (value.n == 0 || memchr(value.p, 0, value.n) == NULL))
    set(t->id, &t->id_n, value);
}

/* 1: the next event of the whole text. */
static int plain_next(struct plain *t) {
  struct ofox_span l;
  int rc;
  t->data_n = t->type_n = 0;
  t->has_data = 0;
  while ((rc = line(t, &l)) != 0) {
    if (l.n == 0) {
      if (t->has_data)
        return 1;
      t->type_n = 0;
    }
    else if (*l.p != ':')
      field(t, l);
    if (rc == 2)
      break;
  }
  return t->has_data;
}

static void same(struct ofox_span a, const char *p, size_t n) {
  MUST(a.n == n && (n == 0 || memcmp(a.p, p, n) == 0));
}

/* All events there are, beside those of the plain reading. */
static int compare(struct ofox_sse *p, struct plain *t) {
  struct ofox_sse_event ev;
  int rc = 0;
  while (rc == 0 && (rc = ofox_sse_next(p, &ev)) == 1) {
    MUST(plain_next(t));
    same(ev.data, t->data, t->data_n);
    same(ev.type, t->type, t->type_n);
    same(ev.id, t->id, t->id_n);
    rc = 0;
  }
  MUST(rc == p->error);
  return rc;
}

/* The pieces are copies that go as soon as the parser has given them back. */
static void feed(struct ofox_sse *p, struct plain *t, const char *b, size_t n,
                 int last) {
  struct ofox_sse_event ev;
  char *piece = malloc(n + (n == 0));
  int rc;
  MUST(piece != NULL);
  memcpy(piece, b, n);
  rc = ofox_sse_feed(p, piece, n);
  if (last)
    ofox_sse_finish(p);
  if (rc == 0)
    rc = compare(p, t);
  free(piece);
  if (rc == 0 && ofox_sse_pending(p, &ev))
    MUST(ev.data.n < p->_cap);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct plain t;
  struct ofox_sse p;
  const char *text = (const char *)data + 1;
  size_t at = 0, step, n;
  if (size < 1 || size > 4000)
    return 0;
  n = size - 1;
  step = data[0] % 64 == 0 ? n + 1 : data[0] % 64;
  memset(&t, 0, sizeof(t));
  t.rest.p = text;
  t.rest.n = n;
  if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
    t.rest.p += 3;
    t.rest.n -= 3;
  }
  ofox_sse_init(&p, data[0] < 128 ? CAP : 1 << 16);
  while (n - at > step && p.error == 0) {
    feed(&p, &t, text + at, step, 0);
    at += step;
  }
  if (p.error == 0)
    feed(&p, &t, text + at, n - at, data[0] & 1);
  if (p.error == 0 && !(data[0] & 1)) { /* the end comes by itself */
    ofox_sse_finish(&p);
    compare(&p, &t);
  }
  if (p.error == 0)
    MUST(!plain_next(&t));
  else
    MUST(p.error == OFOX_ECAP && p.reason != NULL && p.position <= n);
  ofox_sse_free(&p);
  ofox_sse_free(&p);
  return 0;
}
