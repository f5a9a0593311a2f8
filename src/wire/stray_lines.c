#include "wire/stray_lines.h"

#include <string.h>

#include "base/json.h"
#include "wire/html.h"

void ofox_stray_lines_init(struct ofox_stray_lines *t,
                           const struct ofox_dialect *dialect, size_t cap) {
  memset(t, 0, sizeof(*t));
  t->dialect = dialect;
  ofox_buf_init(&t->_text, cap);
}

void ofox_stray_lines_free(struct ofox_stray_lines *t) {
  ofox_buf_free(&t->_text);
}

void ofox_stray_lines_clear(struct ofox_stray_lines *t) {
  ofox_buf_free(&t->_text);
  t->kind = OFOX_STRAY_NONE;
  t->_depth = 0;
  t->_quoted = t->_escaped = 0;
}

static void start(struct ofox_stray_lines *t,
                  enum ofox_stray_lines_kind kind) {
  ofox_stray_lines_clear(t);
  t->kind = kind;
}

static int is_fault(const struct ofox_stray_lines *t, struct ofox_delta *out) {
  return ofox_delta_is_fault(t->dialect, ofox_buf_span(&t->_text), out);
}

/* Is the value of a field "error" non-empty? Then it is in '_text'. The parser
** of faults decides, which knows empty ones. */
static int judge_field(struct ofox_stray_lines *t, struct ofox_delta *out) {
  struct ofox_buf whole;
  int rc;
  if (is_fault(t, out))
    return 1;
  ofox_buf_init(&whole, (size_t)-1);
  rc = ofox_buf_adds(&whole, "{\"error\":");
  if (rc == 0)
    rc = ofox_buf_addspan(&whole, ofox_buf_span(&t->_text));
  if (rc == 0)
    rc = ofox_buf_adds(&whole, "}");
  ofox_buf_free(&t->_text);
  t->_text = whole;
  return rc == 0 ? is_fault(t, out) : rc;
}

/* The collected text is complete. */
static int judge(struct ofox_stray_lines *t, struct ofox_delta *out) {
  struct ofox_span text = ofox_buf_span(&t->_text);
  enum ofox_stray_lines_kind kind = t->kind;
  t->kind = OFOX_STRAY_NONE;
  t->_depth = 0;
  t->_quoted = t->_escaped = 0;
  if (kind == OFOX_STRAY_FIELD)
    return judge_field(t, out);
  if (kind == OFOX_STRAY_JSON)
    return is_fault(t, out);
  out->part = text;
  out->fallback = OFOX_CLASS_STREAM;
  return kind == OFOX_STRAY_PAGE && ofox_html_is(OFOX_NOSPAN, text);
}

/* Length of 's' up to the bracket that closes the first one, or all. */
static size_t balance(struct ofox_stray_lines *t, struct ofox_span s) {
  size_t i;
  for (i = 0; i < s.n; i++) {
    char c = s.p[i];
    if (t->_escaped)
      t->_escaped = 0;
    else if (t->_quoted && c == '\\')
      t->_escaped = 1;
    else if (c == '"')
      t->_quoted = !t->_quoted;
    else if (!t->_quoted && (c == '{' || c == '['))
      t->_depth++;
    else if (!t->_quoted && (c == '}' || c == ']') && --t->_depth == 0)
      return i + 1;
  }
  return s.n;
}

/* Continues JSON. A text that has become too long is judged as it is. */
static int gather(struct ofox_stray_lines *t, struct ofox_span *s,
                  struct ofox_delta *out) {
  struct ofox_span piece = *s;
  int rc;
  piece.n = balance(t, piece);
  s->p += piece.n;
  s->n -= piece.n;
  rc = ofox_buf_addspan(&t->_text, piece);
  if (rc == OFOX_EMEM)
    return rc;
  return rc == 0 && t->_depth > 0 ? 0 : judge(t, out);
}

static int is_json(struct ofox_span s) {
  return s.n > 0 && (*s.p == '{' || *s.p == '[');
}

/* The value of a field "error", or an empty one. */
static struct ofox_span error_field(struct ofox_span line) {
  struct ofox_span name = line;
  const char *colon = memchr(line.p, ':', line.n);
  if (colon == NULL)
    return OFOX_NOSPAN;
  name.n = (size_t)(colon - line.p);
  if (!ofox_span_ieq(ofox_span_trim(name), "error"))
    return OFOX_NOSPAN;
  line.n -= name.n + 1;
  line.p = colon + 1;
  return ofox_span_trim(line);
}

/* An error in words. */
static int say(struct ofox_stray_lines *t, struct ofox_span words,
               struct ofox_delta *out) {
  size_t pos;
  int rc;
  start(t, OFOX_STRAY_FIELD);
  rc = ofox_buf_addspan(&t->_text, words);
  if (rc == OFOX_EMEM)
    return rc;
  if (rc == 0 && ofox_json_check(words, &pos) == 1)
    return judge(t, out);
  t->kind = OFOX_STRAY_NONE;
  out->part = ofox_buf_span(&t->_text);
  out->fallback = OFOX_CLASS_STREAM;
  return 1;
}

static int begin(struct ofox_stray_lines *t, struct ofox_span line,
                 struct ofox_delta *out) {
  struct ofox_span value = error_field(line), s = ofox_span_trim(line);
  int rc = 0;
  if (value.n > 0 && !is_json(value))
    return say(t, value, out);
  if (value.n > 0) {
    start(t, OFOX_STRAY_FIELD);
    return gather(t, &value, out);
  }
  while (rc == 0 && is_json(s)) {
    start(t, OFOX_STRAY_JSON);
    rc = gather(t, &s, out);
    s = ofox_span_trim(s);
  }
  if (rc == 0 && s.n > 0 && *s.p == '<' && t->kind == OFOX_STRAY_NONE) {
    start(t, OFOX_STRAY_PAGE);
    rc = ofox_buf_fill(&t->_text, s);
  }
  return rc;
}

int ofox_stray_lines_line(struct ofox_stray_lines *t, struct ofox_span line,
                          struct ofox_delta *out) {
  struct ofox_span end = ofox_span_of("\n");
  int rc;
  switch (t->kind) {
  case OFOX_STRAY_PAGE:
    rc = ofox_buf_fill(&t->_text, end);
    return rc == 0 ? ofox_buf_fill(&t->_text, line) : rc;
  case OFOX_STRAY_JSON:
  case OFOX_STRAY_FIELD:
    rc = gather(t, &end, out);
    return rc == 0 && t->kind != OFOX_STRAY_NONE ? gather(t, &line, out) : rc;
  default:
    return begin(t, line, out);
  }
}

int ofox_stray_lines_end(struct ofox_stray_lines *t, struct ofox_delta *out) {
  return t->kind == OFOX_STRAY_NONE ? 0 : judge(t, out);
}
