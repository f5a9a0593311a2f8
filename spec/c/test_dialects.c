/*
** A dialect is one row: a made-up one, known to this file alone, goes through
** the queue of events like those of the list.
*/
#include "../../src/call/event_queue.h"
#include "../../src/wire/dialects/walk.h"

#include <stdio.h>
#include <stdlib.h>

#define MUST(x)                                                               \
  do {                                                                        \
    if (!(x)) {                                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                 \
      exit(1);                                                                \
    }                                                                         \
  } while (0)

enum { WORD };

static int read_top(struct ofox_reading *r, struct ofox_span name, int escapes,
                    void *to) {
  struct ofox_json v;
  int rc = ofox_json_scan_value(&r->s, &v);
  (void)to;
  if (rc != 1 || ofox_walk_common(r, name, escapes, v))
    return rc;
  if (OFOX_READING_IS(name, escapes, "word") && v.type == OFOX_JSON_STRING) {
    ofox_reading_note(&r->kept[WORD], v);
    ofox_reading_add_hole(r, v);
  }
  else {
    r->other = 1;
  }
  return 1;
}

static int read_event(struct ofox_reading *r) {
  return ofox_walk_object(r, read_top, NULL);
}

static int is_suspect(const struct ofox_reading *r, struct ofox_span type) {
  (void)r;
  return type.n == 0;
}

static void judge(struct ofox_reading *r, struct ofox_span type) {
  r->out->begun = 1;
  r->out->content = 1;
  r->out->text = r->kept[WORD];
  r->out->plain = !r->other && r->kept[WORD].type != OFOX_JSON_NONE;
  r->out->last = ofox_span_eq(type, "bye");
}

static const struct ofox_dialect madeup = {
    .name = "madeup",
    .due = "words",
    .usage = "spent",
    .read = read_event,
    .is_suspect = is_suspect,
    .judge = judge,
    .strict = 1,
};

static const char body[] = "data: {\"type\":\"say\",\"word\":\"Hel\"}\n\n"
                           "data: {\"type\":\"say\",\"word\":\"lo\"}\n\n"
                           "data: {\"type\":\"say\",\"word\":\"!\"}\n\n"
                           "data: {\"type\":\"bye\"}\n\n";

int main(void) {
  struct ofox_event_queue s;
  struct ofox_span text;
  size_t cut, n = sizeof(body) - 1, events;
  struct ofox_event ev;
  for (cut = 0; cut <= n; cut++) {
    ofox_event_queue_init(&s, &madeup, 1 << 16, 1 << 16);
    MUST(ofox_event_queue_feed(&s, body, cut) == 0);
    MUST(s.ended == (cut == n));
    MUST(ofox_event_queue_feed(&s, body + cut, n - cut) == 0);
    MUST(s.ended && !s.broken && s.chunks == 4);
    text = ofox_transcript_text(&s.said);
    MUST(ofox_span_eq(text, "Hello!"));
    for (events = 0; ofox_event_queue_peek(&s, &ev); events++)
      ofox_event_queue_next(&s, &ev);
    MUST(events == 4);
    ofox_event_queue_free(&s);
  }
  ofox_event_queue_init(&s, &madeup, 1 << 16, 1 << 16);
  MUST(ofox_event_queue_feed(&s, "data: [DONE]\n\n", 14) != 0 && s.broken);
  ofox_event_queue_free(&s);
  return 0;
}
