#include "wire/json_stream.h"

#include <string.h>

enum { BEFORE, BETWEEN, INSIDE, AFTER, OVER }; /* of texts */

#define MARGIN 64 /* blanks before the first element of a list */

static const char START[] = "data:", END[] = "\n\n";

/* Blanks and a BOM: JSON begins with none of these bytes. */
static int is_before(char c) {
  return memchr(" \t\r\n\xEF\xBB\xBF", c, 7) != NULL;
}

static void skip(struct ofox_span *b) {
  b->p++;
  b->n--;
}

/* Takes 'n' bytes. */
static struct ofox_span take(struct ofox_span *b, size_t n) {
  struct ofox_span piece = *b;
  piece.n = n;
  b->p += n;
  b->n -= n;
  return piece;
}

static struct ofox_span next_of_line(struct ofox_json_stream *t,
                                     struct ofox_span *b) {
  size_t n = 0;
  while (b->n > 0 && (t->_state == INSIDE ? *b->p == '\r' : is_before(*b->p)))
    skip(b);
  if (b->n == 0)
    return OFOX_NOSPAN;
  if (t->_state != INSIDE) {
    t->_state = INSIDE;
    return ofox_span_of(START);
  }
  if (*b->p == '\n') {
    skip(b);
    return ofox_json_stream_end(t);
  }
  while (n < b->n && b->p[n] != '\n' && b->p[n] != '\r')
    n++;
  return take(b, n);
}

/* Goes to the next element. */
static void find_element(struct ofox_json_stream *t, struct ofox_span *b) {
  for (; b->n > 0; skip(b)) {
    char c = *b->p;
    if (t->_state == BEFORE && c == '[')
      t->_state = BETWEEN;
    else if (t->_state == BETWEEN && c == ']')
      t->_state = OVER;
    else if (t->_state != OVER && c != ',' && !is_before(c))
      return;
  }
}

/* Length of an element up to its end, or to that of its line. One that has no
** brackets is of one byte, which is no event. */
static size_t element(struct ofox_json_stream *t, struct ofox_span b) {
  size_t i;
  for (i = 0; i < b.n && b.p[i] != '\n' && b.p[i] != '\r'; i++) {
    char c = b.p[i];
    if (t->_escaped)
      t->_escaped = 0;
    else if (t->_quoted && c == '\\')
      t->_escaped = 1;
    else if (c == '"' && t->_depth > 0)
      t->_quoted = !t->_quoted;
    else if (!t->_quoted && (c == '{' || c == '['))
      t->_depth++;
    else if (!t->_quoted && (t->_depth == 0 ||
                             ((c == '}' || c == ']') && --t->_depth == 0))) {
      t->_state = AFTER;
      return i + 1;
    }
  }
  return i;
}

static struct ofox_span next_of_list(struct ofox_json_stream *t,
                                     struct ofox_span *b) {
  if (t->_state == AFTER) {
    t->_state = BETWEEN;
    return ofox_span_of(END);
  }
  if (t->_state != INSIDE) {
    find_element(t, b);
    if (b->n == 0)
      return OFOX_NOSPAN;
    t->_state = INSIDE;
    return ofox_span_of(START);
  }
  if (b->n == 0)
    return OFOX_NOSPAN;
  if (*b->p == '\n' || *b->p == '\r') {
    skip(b);
    return ofox_span_of(" ");
  }
  return take(b, element(t, *b));
}

struct ofox_span ofox_json_stream_next(struct ofox_json_stream *t,
                                       struct ofox_span *b) {
  return t->kind == OFOX_JSON_STREAM_LIST ? next_of_list(t, b)
                                          : next_of_line(t, b);
}

struct ofox_span ofox_json_stream_end(struct ofox_json_stream *t) {
  if (t->kind != OFOX_JSON_STREAM_LINES || t->_state != INSIDE)
    return OFOX_NOSPAN;
  t->_state = BETWEEN;
  return ofox_span_of(END);
}

int ofox_json_stream_is_list(struct ofox_span s) {
  size_t most = MARGIN;
  if (s.n == 0 || *s.p != '[')
    return s.n == 0 ? -1 : 0;
  skip(&s);
  while (s.n > 0 && is_before(*s.p) && most-- > 0)
    skip(&s);
  return s.n == 0 ? -1 : *s.p == '{';
}
