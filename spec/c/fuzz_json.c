/*
** The JSON reader on any bytes: it stays inside the text, what it finds lies
** inside what holds it, its strings are valid UTF-8, and the strict pass and
** the look-ups agree on texts that are whole.
** make fuzz runs it.
*/
#include "base/json.h"
#include "base/json_escape.h"
#include "base/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 64 /* the walk visits a text once for each level */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok) {
  if (!ok)
    abort();
}

static int inside(struct ofox_span s, struct ofox_span whole) {
  return s.p >= whole.p && s.n <= whole.n &&
         (size_t)(s.p - whole.p) <= whole.n - s.n;
}

static void visit_string(struct ofox_json v) {
  struct ofox_buf text;
  struct ofox_span s;
  ofox_buf_init(&text, SIZE_MAX);
  must(ofox_json_text(v, &text) == 0);
  s = ofox_buf_span(&text);
  must(ofox_utf8_valid(s) == s.n);
  must(s.n <= v.raw.n * 3);
  ofox_json_is(v, "content");
  ofox_buf_free(&text);
}

static void visit_number(struct ofox_json v) {
  double d, again;
  must(ofox_json_number(v, &d) == 1);
  must(d == d);
  must(ofox_json_number(v, &again) == 1 && again == d);
  must((v.raw.p[0] == '-') ? d <= 0 : d >= 0);
}

static void visit(struct ofox_json v, int depth) {
  struct ofox_json key, child, same;
  size_t pos = 0, last, count = 0;
  must(v.type != OFOX_JSON_NONE && v.raw.n > 0);
  if (v.type == OFOX_JSON_STRING)
    visit_string(v);
  if (v.type == OFOX_JSON_NUMBER)
    visit_number(v);
  if (depth == DEPTH)
    return;
  for (last = 0; ofox_json_next(v, &pos, &key, &child); last = pos, count++) {
    must(pos > last && pos <= v.raw.n);
    must(inside(child.raw, v.raw));
    must((key.type == OFOX_JSON_STRING) == (v.type == OFOX_JSON_OBJECT));
    if (key.type == OFOX_JSON_STRING) {
      must(inside(key.raw, v.raw));
      visit_string(key);
    }
    else if (count < 8) {
      same = ofox_json_at(v, count);
      must(same.raw.p == child.raw.p && same.raw.n == child.raw.n);
    }
    visit(child, depth + 1);
  }
  must(!ofox_json_next(v, &pos, &key, &child));
  must(ofox_json_at(v, count).type == OFOX_JSON_NONE);
  ofox_json_get(v, "error");
}

/* A text that passed: the walk must reach the end of every container. */
static void visit_whole(struct ofox_json v, int depth) {
  struct ofox_json key, child;
  struct ofox_span rest;
  size_t pos = 0;
  char close = v.type == OFOX_JSON_ARRAY ? ']' : '}';
  if (v.type != OFOX_JSON_ARRAY && v.type != OFOX_JSON_OBJECT)
    return;
  must(v.raw.p[v.raw.n - 1] == close);
  while (ofox_json_next(v, &pos, &key, &child)) {
    if (depth < DEPTH)
      visit_whole(child, depth + 1);
  }
  rest.p = v.raw.p + (pos == 0 ? 1 : pos);
  rest.n = v.raw.n - (pos == 0 ? 1 : pos);
  rest = ofox_span_trim(rest);
  must(rest.n == 1 && rest.p[0] == close);
}

static void visit_escapes(struct ofox_span s) {
  unsigned long cp = 0;
  size_t n, i;
  int rc;
  for (i = 0; i < s.n; i++) {
    struct ofox_span at = {s.p + i, s.n - i};
    if (s.p[i] != '\\')
      continue;
    rc = ofox_json_escape(at, &n, &cp);
    must(rc == 1 || rc == 0 || rc == OFOX_ESYNTAX);
    must(rc == 1 ? n >= 2 && n <= at.n : n <= at.n);
    must(rc != 1 || cp <= 0x10FFFF);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  /* an exact copy, so that a byte too far is seen */
  char *copy = malloc(size + (size == 0));
  struct ofox_span text, part;
  struct ofox_json root, tail;
  size_t pos, at;
  int rc;
  if (copy == NULL)
    return 0;
  if (size > 0)
    memcpy(copy, data, size);
  text.p = copy;
  text.n = size;
  rc = ofox_json_check(text, &pos);
  must(rc == 1 || rc == 0 || rc == OFOX_ESYNTAX);
  must(rc == OFOX_ESYNTAX ? pos < size : pos <= size);
  root = ofox_json_root(text);
  if (root.type != OFOX_JSON_NONE) {
    must(inside(root.raw, text));
    visit(root, 0);
  }
  if (rc == 1) {
    visit_whole(root, 0);
    part.p = root.raw.p + root.raw.n;
    part.n = size - (size_t)(part.p - text.p);
    must(ofox_span_trim(part).n == 0);
    /* what begins a JSON text is never broken */
    part.p = copy;
    for (part.n = 0; part.n < size && part.n < 64; part.n++)
      must(ofox_json_check(part, &at) >= 0);
    part.n = (size_t)(root.raw.p - copy) + root.raw.n / 2;
    must(ofox_json_check(part, &at) >= 0);
    tail = ofox_json_root(part);
    must(tail.type == root.type || root.raw.n / 2 == 0 ||
         root.type < OFOX_JSON_STRING);
  }
  visit_escapes(text);
  free(copy);
  return 0;
}
