/*
** Fuzz target: any bytes as an event of each dialect. What is read in one pass
** agrees with slow look-ups in the same text; and what is taken for the event
** before it with another text, with a reading of its own.
*/
#include "../../src/delta.h"
#include "../../src/fault.h"

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

/* A choice, looked up: content, and whether it fails. */
static void look(struct ofox_json choice, int *content, int *fails) {
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
    if (ofox_json_is(key, "finish_reason") &&
        child.type == OFOX_JSON_STRING) {
      *content |= says(child);
      *fails |= ofox_json_is(child, "error");
    }
    *content |= ofox_json_is(key, "text") && says(child);
  }
}

static void check_chat(struct ofox_span data, const struct ofox_delta *d) {
  struct ofox_json root = ofox_json_root(data), key, choices, choice;
  int content = 0, fails = 0;
  size_t pos = 0, n = 0, first = 0;
  choices.type = OFOX_JSON_NONE;
  while (choices.type != OFOX_JSON_ARRAY || n == 0) {
    if (!ofox_json_next(root, &first, &key, &choices))
      break;
    if (!ofox_json_is(key, "choices") || choices.type != OFOX_JSON_ARRAY) {
      choices.type = OFOX_JSON_NONE;
      continue;
    }
    pos = 0;
    while (ofox_json_next(choices, &pos, &key, &choice)) {
      if (choice.type == OFOX_JSON_OBJECT) {
        n++;
        look(choice, &content, &fails);
      }
    }
  }
  MUST((d->kind == OFOX_DELTA_ERROR) == fails);
  MUST(d->content == content);
  MUST(!d->plain || (n == 1 && d->text.type == OFOX_JSON_STRING &&
                     d->finished == 0 && d->content));
  MUST(n == 0 || d->begun != 0);
  MUST((d->finished & ~d->begun) == 0);
}

static void check(enum ofox_dialect dialect, struct ofox_span data) {
  struct ofox_delta d;
  struct ofox_fault fault;
  size_t pos;
  int whole = ofox_json_check(data, &pos) == 1;
  ofox_delta_read(dialect, OFOX_NOSPAN, data, &d);
  if (d.kind == OFOX_DELTA_END) {
    MUST(ofox_delta_is_end(data));
    return;
  }
  if (ofox_span_trim(data).n == 0)
    MUST(d.kind == OFOX_DELTA_SKIP);
  else
    MUST((d.kind == OFOX_DELTA_BROKEN) == !whole);
  if (!whole || ofox_span_trim(data).n == 0)
    return;
  MUST(inside(d.part, data) && inside(d.text.raw, data));
  if (d.text.type != OFOX_JSON_NONE)
    MUST(d.text.type == OFOX_JSON_STRING &&
         ofox_json_check(d.text.raw, &pos) == 1 && d.text.raw.n > 2);
  if (ofox_fault_find(data, &fault) && fault.part.p == data.p)
    MUST(d.kind == OFOX_DELTA_ERROR && d.part.p == data.p);
  else if (ofox_json_root(data).type != OFOX_JSON_OBJECT)
    MUST(d.kind == OFOX_DELTA_SKIP);
  else if (dialect == OFOX_DIALECT_CHAT)
    check_chat(data, &d);
}

/* 'text' in the place of the text of a plain event. */
static void check_again(const struct ofox_span before, struct ofox_span text) {
  struct ofox_delta d, quick, slow;
  struct ofox_buf b;
  size_t head;
  ofox_delta_read(OFOX_DIALECT_CHAT, OFOX_NOSPAN, before, &d);
  if (d.kind != OFOX_DELTA_CHUNK || !d.plain)
    return;
  head = (size_t)(d.text.raw.p - before.p) + 1;
  ofox_buf_init(&b, (size_t)-1);
  ofox_buf_add(&b, before.p, head);
  ofox_buf_addspan(&b, text);
  ofox_buf_add(&b, d.text.raw.p + d.text.raw.n - 1,
               before.n - head - d.text.raw.n + 2);
  if (ofox_delta_again(before, &d, ofox_buf_span(&b), &quick)) {
    ofox_delta_read(OFOX_DIALECT_CHAT, OFOX_NOSPAN, ofox_buf_span(&b), &slow);
    MUST(slow.kind == quick.kind && slow.plain == quick.plain &&
         slow.content == quick.content && slow.begun == quick.begun &&
         slow.text.raw.p == quick.text.raw.p &&
         slow.text.raw.n == quick.text.raw.n);
  }
  ofox_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char event[] =
      "{\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},"
      "\"finish_reason\":null}],\"usage\":null}";
  char *copy = malloc(size + (size == 0));
  struct ofox_span text, half;
  if (copy == NULL)
    return 0;
  if (size > 0)
    memcpy(copy, data, size);
  text.p = copy;
  text.n = size;
  check(OFOX_DIALECT_CHAT, text);
  check(OFOX_DIALECT_RESPONSES, text);
  check(OFOX_DIALECT_ANY, text);
  check_again(ofox_span_of(event), text);
  half.p = copy + size / 2;
  half.n = size - size / 2;
  text.n = size / 2;
  check_again(text, half);
  free(copy);
  return 0;
}
