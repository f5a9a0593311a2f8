/*
** The JSON reader on any bytes: it stays inside the text, what it finds lies
** inside what holds it, its strings are valid UTF-8, and the strict pass and
** the look-ups agree on texts that are whole.
** make fuzz runs it.
*/
#include "base/json.h"
#include "base/json_escape.h"
#include "base/json_number.h"
#include "base/json_string.h"
#include "base/utf8.h"

#include <stdint.h>
#include <stdio.h>
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

/* The reader in one go: as the one that takes pieces has it. */
static void visit_whole_string(struct ofox_json v, const struct ofox_buf *text,
                               const char *e) {
  struct ofox_span raw, made;
  unsigned found;
  char *room;
  size_t n;
  const char *end = ofox_json_read_string(v.raw.p + 1, e, &found);
  if (end == NULL)
    return;
  must(end == v.raw.p + v.raw.n - 1);
  raw.p = v.raw.p + 1;
  raw.n = (size_t)(end - raw.p);
  room = malloc(OFOX_UNESCAPED_ROOM(raw.n));
  must(room != NULL);
  n = ofox_json_unescape(room, raw, 0);
  made.p = room;
  made.n = n;
  must(n <= OFOX_UNESCAPED_ROOM(raw.n) && ofox_utf8_valid(made) == n);
  if ((found & (OFOX_STRING_LONE | OFOX_STRING_BAD)) == 0)
    must(n == text->n && (n == 0 || memcmp(room, text->p, n) == 0));
  if (found == 0)
    must(n == raw.n && memcmp(room, raw.p, n) == 0);
  n = ofox_json_unescape(room, raw, 1);
  must(n <= raw.n);
  free(room);
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
  visit_whole_string(v, &text, v.raw.p + v.raw.n);
  ofox_buf_free(&text);
}

/* What the C library makes of it, whose locale is "C" here. */
static void visit_number(struct ofox_json v) {
  char *copy = malloc(v.raw.n + 1);
  struct ofox_json_number n;
  double d, expected;
  size_t i;
  must(copy != NULL);
  memcpy(copy, v.raw.p, v.raw.n);
  copy[v.raw.n] = '\0';
  expected = strtod(copy, NULL);
  must(ofox_json_number(v, &d) == 1);
  must(memcmp(&d, &expected, sizeof(d)) == 0);
  must(ofox_json_read_number(v.raw.p, v.raw.p + v.raw.n, &n) ==
       v.raw.p + v.raw.n);
  if (n.whole) {
    snprintf(copy, v.raw.n + 1, "%lld", (long long)n.i);
    must(strcmp(copy, "0") == 0 || memcmp(copy, v.raw.p, v.raw.n) == 0);
  }
  for (i = 0; n.whole && i < v.raw.n; i++)
    must(v.raw.p[i] == '-' || ofox_isdigit(v.raw.p[i]));
  free(copy);
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

static void visit_commas(struct ofox_span s) {
  size_t i, n = 0;
  for (i = 0; i < s.n; i++)
    n += s.p[i] == ',';
  must(ofox_json_count_commas(s.p, s.p + s.n) == n);
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
  visit_commas(text);
  free(copy);
  return 0;
}
