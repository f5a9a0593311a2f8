/*
** Fuzz target: any bytes as an event of each dialect. What is read in one pass
** agrees with slow look-ups in the same text; and what is taken for the event
** before it with another text and padding, with a reading of its own.
*/
#include "../../src/wire/delta.h"
#include "../../src/wire/dialects/list.h"
#include "../../src/wire/error_in_success.h"
#include "../../src/base/utf8.h"
#include "../../src/wire/content_text.h"
#include "../../src/wire/usage.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                                                               \
  do {                                                                        \
    if (!(x))                                                                 \
      abort();                                                                \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int inside(struct ofox_span s, struct ofox_span whole) {
  return s.n == 0 || (s.p >= whole.p && s.n <= whole.n &&
                      (size_t)(s.p - whole.p) <= whole.n - s.n);
}

static int says(struct ofox_json v) {
  struct ofox_json key, child;
  size_t pos = 0;
  if (v.type == OFOX_JSON_ARRAY || v.type == OFOX_JSON_OBJECT)
    return ofox_json_next(v, &pos, &key, &child);
  return v.type == OFOX_JSON_TRUE || v.type == OFOX_JSON_NUMBER ||
         (v.type == OFOX_JSON_STRING && v.raw.n > 2);
}

/* A choice, looked up: has it content? */
static void look(struct ofox_json choice, int *content) {
  static const char *const bodies[] = {"delta", "message"};
  struct ofox_json key, child, inner_key, inner;
  size_t pos = 0, at, i;
  while (ofox_json_next(choice, &pos, &key, &child)) {
    for (i = 0; i < 2; i++) {
      if (!ofox_json_is(key, bodies[i]) || child.type != OFOX_JSON_OBJECT)
        continue;
      at = 0;
      while (ofox_json_next(child, &at, &inner_key, &inner))
        *content |= !ofox_json_is(inner_key, "role") && says(inner);
    }
    if (ofox_json_is(key, "finish_reason") && child.type == OFOX_JSON_STRING)
      *content |= says(child);
    *content |= ofox_json_is(key, "text") && says(child);
  }
}

/* The choices that count: the first list of them that has one. */
static struct ofox_json choices_of(struct ofox_json root) {
  struct ofox_json key, choices, choice;
  size_t first = 0, pos;
  while (ofox_json_next(root, &first, &key, &choices)) {
    pos = 0;
    if (!ofox_json_is(key, "choices") || choices.type != OFOX_JSON_ARRAY)
      continue;
    while (ofox_json_next(choices, &pos, &key, &choice)) {
      if (choice.type == OFOX_JSON_OBJECT)
        return choices;
    }
  }
  choices.type = OFOX_JSON_NONE;
  return choices;
}

/* The text is what a walk over the choices finds. */
static void check_words(const struct ofox_delta *d, struct ofox_json choices) {
  struct ofox_content_text w;
  struct ofox_buf text;
  ofox_content_text_init(&w, (size_t)-1);
  ofox_buf_init(&text, (size_t)-1);
  MUST(ofox_content_text_choices(&w, choices) == 0 &&
       ofox_content_text_end(&w) == 0);
  MUST(ofox_utf8_valid(ofox_buf_span(&w.text)) == w.text.n);
  if (d->text.type == OFOX_JSON_STRING) {
    MUST(ofox_json_text(d->text, &text) == 0);
    MUST(text.n == w.text.n && memcmp(text.p, w.text.p, text.n) == 0);
  }
  else if (d->text.type == OFOX_JSON_NONE) {
    MUST(w.text.n == 0);
  }
  else {
    MUST(d->text.raw.p == choices.raw.p && d->text.raw.n == choices.raw.n);
  }
  ofox_buf_free(&text);
  ofox_content_text_free(&w);
}

static void check_chat(struct ofox_span data, const struct ofox_delta *d) {
  struct ofox_json root = ofox_json_root(data), key, choice;
  struct ofox_json choices = choices_of(root);
  int content = 0;
  size_t pos = 0, n = 0;
  while (ofox_json_next(choices, &pos, &key, &choice)) {
    if (choice.type == OFOX_JSON_OBJECT) {
      n++;
      look(choice, &content);
    }
  }
  MUST(d->content == content);
  MUST(!d->plain || (n == 1 && d->text.type == OFOX_JSON_STRING &&
                     d->finished == 0 && d->content));
  MUST(n == 0 || d->begun != 0);
  MUST((d->finished & ~d->begun) == 0);
  check_words(d, choices);
}

/* Does the event say in its own type that it is an error, or a ping? */
static int has_type(struct ofox_span data) {
  return ofox_json_get(ofox_json_root(data), "type").type == OFOX_JSON_STRING;
}

/* Counts are counts, or not there. */
static void check_usage(struct ofox_span json) {
  struct ofox_usage u;
  if (!ofox_usage_read(json, &u))
    return;
  MUST(!(u.input < 0) && !(u.output < 0) && !(u.cached < 0) &&
       !(u.reasoning < 0));
  MUST(u.input >= 0 || u.output >= 0);
}

static void check(const struct ofox_dialect *dialect, struct ofox_span data) {
  struct ofox_delta d;
  struct ofox_delta fault;
  size_t pos;
  int whole = ofox_json_check(data, &pos) == 1, failed;
  ofox_delta_read(dialect, OFOX_NOSPAN, data, &d);
  if (d.kind == OFOX_DELTA_END) {
    MUST(ofox_delta_is_end(OFOX_NOSPAN, data));
    return;
  }
  if (ofox_span_trim(data).n == 0)
    MUST(d.kind == OFOX_DELTA_SKIP);
  else
    MUST((d.kind == OFOX_DELTA_BROKEN) == !whole);
  if (!whole || ofox_span_trim(data).n == 0)
    return;
  MUST(inside(d.part, data) && inside(d.text.raw, data));
  MUST(d.usage.type == OFOX_JSON_NONE || inside(d.usage.raw, data));
  check_usage(data);
  if (d.text.type == OFOX_JSON_STRING)
    MUST(ofox_json_check(d.text.raw, &pos) == 1 && d.text.raw.n > 2);
  memset(&fault, 0, sizeof(fault));
  failed = ofox_delta_is_fault(dialect, data, &fault);
  if (failed && !dialect->typed)
    MUST(d.kind == OFOX_DELTA_ERROR && d.part.p == fault.part.p);
  else if (failed)
    MUST(d.kind == OFOX_DELTA_ERROR || has_type(data));
  else if (ofox_json_root(data).type != OFOX_JSON_OBJECT)
    MUST(d.kind == OFOX_DELTA_SKIP);
  else if (dialect == &ofox_dialect_chat && !has_type(data)) {
    MUST(d.kind == OFOX_DELTA_CHUNK);
    check_chat(data, &d);
  }
}

static void check_same(struct ofox_span data, const struct ofox_delta *d,
                       const struct ofox_holes *quick,
                       const struct ofox_dialect *dialect) {
  struct ofox_span text = quick->at[quick->text].raw;
  struct ofox_delta slow;
  ofox_delta_read(dialect, OFOX_NOSPAN, data, &slow);
  MUST(slow.kind == d->kind && slow.plain && slow.content &&
       slow.begun == d->begun && slow.finished == d->finished &&
       slow.last == d->last && slow.text.raw.p == text.p &&
       slow.text.raw.n == text.n && slow.holes.n == quick->n);
}

/* 'text' in the place of the text and the padding of a plain event. */
static void check_again(const struct ofox_dialect *dialect,
                        const struct ofox_span before, struct ofox_span text) {
  struct ofox_holes quick;
  struct ofox_delta d;
  struct ofox_buf b;
  struct ofox_span hole;
  const char *p = before.p;
  int i;
  ofox_delta_read(dialect, OFOX_NOSPAN, before, &d);
  if (d.kind != OFOX_DELTA_CHUNK || !d.plain)
    return;
  ofox_buf_init(&b, (size_t)-1);
  for (i = 0; i < d.holes.n; i++) {
    hole = d.holes.at[i].raw;
    ofox_buf_add(&b, p, (size_t)(hole.p - p) + 1);
    ofox_buf_addspan(&b, text);
    p = hole.p + hole.n - 1;
  }
  ofox_buf_add(&b, p, (size_t)(before.p + before.n - p));
  if (ofox_delta_again(before, &d.holes, ofox_buf_span(&b), &quick))
    check_same(ofox_buf_span(&b), &d, &quick, dialect);
  ofox_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char event[] =
      "{\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},"
      "\"finish_reason\":null}],\"usage\":null,\"obfuscation\":\"\"}";
  static const char response[] =
      "{\"type\":\"response.output_text.delta\",\"sequence_number\":10,"
      "\"delta\":\"a\",\"logprobs\":[],\"obfuscation\":\"x\"}";
  const struct ofox_dialect *const *d;
  char *copy = malloc(size + (size == 0));
  struct ofox_span text, half;
  if (copy == NULL)
    return 0;
  if (size > 0)
    memcpy(copy, data, size);
  text.p = copy;
  text.n = size;
  for (d = ofox_dialects; *d != NULL; d++)
    check(*d, text);
  check_again(&ofox_dialect_chat, ofox_span_of(event), text);
  check_again(&ofox_dialect_responses, ofox_span_of(response), text);
  half.p = copy + size / 2;
  half.n = size - size / 2;
  text.n = size / 2;
  for (d = ofox_dialects; *d != NULL; d++)
    check_again(*d, text, half);
  free(copy);
  return 0;
}
