/*
** Fuzz target: bodies of streams. Any bytes: how they are cut changes nothing
** of what is made of them. And streams that are made of the input: pieces of a
** known text, cut anywhere, as strings, parts and lists, add up to it.
*/
#include "../../src/call/event_queue.h"
#include "../../src/wire/dialects/list.h"
#include "../../src/base/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                                                               \
  do {                                                                        \
    if (!(x))                                                                 \
      abort();                                                                \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is used up as chance. */
struct dice {
  const uint8_t *p;
  size_t n;
};

static unsigned roll(struct dice *d, unsigned sides) {
  if (d->n == 0)
    return 0;
  d->n--;
  return *d->p++ % sides;
}

/* What a reader takes: the texts of the events, and names and JSON. */
static void take(struct ofox_event_queue *s, struct ofox_buf *texts,
                 struct ofox_buf *events, size_t *n) {
  struct ofox_event ev;
  struct ofox_span data;
  size_t pos;
  char *copy;
  while (ofox_event_queue_peek(s, &ev)) {
    MUST(ofox_utf8_valid(ev.text) == ev.text.n);
    MUST(ofox_buf_addspan(texts, ev.text) == 0);
    copy = malloc(ev.name + ev.data + 1);
    MUST(copy != NULL);
    ofox_event_copy(&ev, copy);
    data.p = copy + ev.name;
    data.n = ev.data;
    MUST(ev.data == 0 || ofox_json_check(data, &pos) == 1);
    MUST(ofox_buf_add(events, copy, ev.name + ev.data) == 0);
    free(copy);
    *n += ev.data > 0;
    ofox_event_queue_next(s, &ev);
  }
  MUST(!s->open || s->_waiting == 0);
}

/* Feeds copies that go at once; 'step' 0: whole. */
static void run(struct ofox_event_queue *s, struct ofox_span body,
                struct dice *d, unsigned step, struct ofox_buf *texts,
                struct ofox_buf *events) {
  size_t n, count = 0;
  char *piece;
  while (body.n > 0 && !s->ended && !s->broken) {
    n = step == 0 ? body.n : roll(d, step);
    if (n > body.n || d->n == 0)
      n = body.n;
    piece = malloc(n + (n == 0));
    MUST(piece != NULL);
    memcpy(piece, body.p, n);
    ofox_event_queue_feed(s, piece, n);
    free(piece);
    body.p += n;
    body.n -= n;
    take(s, texts, events, &count);
  }
  ofox_event_queue_finish(s, 1);
  s->open = 1;
  take(s, texts, events, &count);
  MUST(count == s->chunks);
}

static void same(struct ofox_span a, struct ofox_span b) {
  MUST(a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0));
}

static void check_said(const struct ofox_event_queue *s,
                       struct ofox_span texts) {
  struct ofox_passage e;
  size_t pos = 0, at = 0, n = 0;
  same(ofox_transcript_text(&s->said), texts);
  while (ofox_transcript_next(&s->said, &pos, &e)) {
    MUST(e.from >= at && e.to >= e.from && e.to <= texts.n && e.data.n > 0);
    at = e.to;
    n++;
  }
  MUST(n <= s->chunks);
}

static int has_sentinel(struct ofox_span s) {
  size_t i;
  for (i = 0; i + 6 <= s.n; i++) {
    if (memcmp(s.p + i, "[DONE]", 6) == 0)
      return 1;
  }
  return 0;
}

/* Any bytes, whole and in pieces. */
static void check_any(struct ofox_span body,
                      const struct ofox_dialect *dialect, struct dice *d,
                      size_t cap) {
  struct ofox_event_queue a, b;
  struct ofox_buf x, y, v, w;
  ofox_buf_init(&x, (size_t)-1);
  ofox_buf_init(&y, (size_t)-1);
  ofox_buf_init(&v, (size_t)-1);
  ofox_buf_init(&w, (size_t)-1);
  ofox_event_queue_init(&a, dialect, cap, 1 << 20);
  ofox_event_queue_init(&b, dialect, cap, 1 << 20);
  run(&a, body, d, 0, &x, &v);
  run(&b, body, d, 50, &y, &w);
  if (dialect->due != NULL) {
    check_said(&a, ofox_buf_span(&x));
    check_said(&b, ofox_buf_span(&y));
  }
  if (!has_sentinel(body)) { /* which may count before its event is whole */
    MUST(a.broken == b.broken && a.ended == b.ended && a.chunks == b.chunks &&
         a.outcome == b.outcome);
    MUST(ofox_event_queue_is_finished(&a) == ofox_event_queue_is_finished(&b));
    same(ofox_buf_span(&x), ofox_buf_span(&y));
    same(ofox_buf_span(&v), ofox_buf_span(&w));
    same(ofox_buf_span(&a.failure), ofox_buf_span(&b.failure));
  }
  ofox_event_queue_free(&a);
  ofox_event_queue_free(&a);
  ofox_event_queue_free(&b);
  ofox_buf_free(&x);
  ofox_buf_free(&y);
  ofox_buf_free(&v);
  ofox_buf_free(&w);
}

/* A character, and the units of it between which an event may end. */
static const char *const chars[][5] = {
    {"a", "a"},
    {"\n", "\\n"},
    {"\"", "\\\""},
    {"\xC3\xA9", "\xC3", "\xA9"},
    {"\xC3\xA9", "\\u00e9"},
    {"\xE4\xB8\x96", "\xE4", "\xB8", "\x96"},
    {"\xF0\x9F\x98\x80", "\\ud83d", "\\ude00"},
    {"\xF0\x9F\x98\x80", "\xF0\x9F", "\x98", "\x80"}};

/* Its JSON is added to 'sent', too. */
static void add_event(struct ofox_buf *body, struct ofox_buf *sent,
                      const struct ofox_buf *piece, struct dice *d) {
  static const char *const forms[][2] = {
      {"\"", "\""},
      {"\"", "\""},
      {"[\"", "\"]"},
      {"[{\"type\":\"text\",\"text\":\"", "\"}]"},
      {"[{\"type\":\"thinking\",\"thinking\":\"t\"},{\"text\":\"", "\"}]"}};
  static const char *const ends[] = {"", ",\"obfuscation\":\"x\"",
                                     ",\"obfuscation\":\"yz\"",
                                     ",\"model\":\"m\"", ",\"usage\":null"};
  unsigned form = roll(d, 5);
  size_t at;
  ofox_buf_adds(body, "data: ");
  at = body->n;
  ofox_buf_adds(body, "{\"choices\":[{\"delta\":{\"content\":");
  ofox_buf_adds(body, forms[form][0]);
  ofox_buf_addspan(body, ofox_buf_span(piece));
  ofox_buf_adds(body, forms[form][1]);
  ofox_buf_adds(body, "}}]");
  ofox_buf_adds(body, ends[roll(d, 5)]);
  ofox_buf_adds(body, "}");
  ofox_buf_add(sent, body->p + at, body->n - at);
  ofox_buf_adds(body, roll(d, 8) == 0 ? "\n: hi\n\n" : "\n\n");
}

static void check_sum(struct dice *d) {
  struct ofox_buf body, piece, text, texts, sent, events;
  struct ofox_event_queue s;
  size_t count = 1;
  ofox_buf_init(&body, (size_t)-1);
  ofox_buf_init(&piece, (size_t)-1);
  ofox_buf_init(&text, (size_t)-1);
  ofox_buf_init(&texts, (size_t)-1);
  ofox_buf_init(&sent, (size_t)-1);
  ofox_buf_init(&events, (size_t)-1);
  while (d->n > 8 && body.n < 20000) {
    const char *const *c = chars[roll(d, 8)];
    ofox_buf_adds(&text, *c);
    for (c++; *c != NULL; c++) {
      ofox_buf_adds(&piece, *c);
      if (roll(d, 3) == 0) {
        add_event(&body, &sent, &piece, d);
        ofox_buf_clear(&piece);
        count++;
      }
    }
  }
  add_event(&body, &sent, &piece, d);
  ofox_buf_adds(&body, "data: [DONE]\n\n");
  ofox_event_queue_init(&s, &ofox_dialect_chat, 1 << 16, 1 << 20);
  run(&s, ofox_buf_span(&body), d, 70, &texts, &events);
  MUST(s.ended && !s.broken && s.chunks == count);
  same(ofox_buf_span(&texts), ofox_buf_span(&text));
  same(ofox_buf_span(&events), ofox_buf_span(&sent));
  check_said(&s, ofox_buf_span(&texts));
  ofox_event_queue_free(&s);
  ofox_buf_free(&body);
  ofox_buf_free(&piece);
  ofox_buf_free(&text);
  ofox_buf_free(&texts);
  ofox_buf_free(&sent);
  ofox_buf_free(&events);
}

static const struct ofox_dialect *pick_dialect(unsigned n) {
  unsigned count = 0;
  while (ofox_dialects[count] != NULL)
    count++;
  return ofox_dialects[n % count];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct ofox_span body;
  struct dice d;
  if (size < 2 || size > 4000)
    return 0;
  d.p = data;
  d.n = size;
  body.p = (const char *)data + 1;
  body.n = size - 1;
  check_any(body, pick_dialect(data[0]), &d, data[0] < 128 ? 200 : 1 << 16);
  d.p = data;
  d.n = size;
  check_sum(&d);
  return 0;
}
