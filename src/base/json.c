#include "base/json.h"
#include "base/json_scan.h"
#include "base/utf8.h"

#include <string.h>

static int is_blank(char c) {
  return (unsigned char)c <= ' ' &&
         (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}

static const char *skip_blanks(const char *p, const char *e) {
  while (p < e && is_blank(*p))
    p++;
  return p;
}

static int scan_any(struct ofox_json_scan *s, void *unused) {
  struct ofox_json v;
  (void)unused;
  return ofox_json_scan_value(s, &v);
}

int ofox_json_check(struct ofox_span text, size_t *pos) {
  return ofox_json_check_by(text, pos, scan_any, NULL);
}

int ofox_json_check_by(struct ofox_span text, size_t *pos,
                       int (*scan)(struct ofox_json_scan *, void *),
                       void *to) {
  struct ofox_span body = ofox_utf8_skip_bom(text);
  const char *nul;
  struct ofox_json_scan s;
  int rc;
  *pos = 0;
  if (body.n == 0)
    return 0;
  nul = memchr(body.p, '\0', body.n);
  if (nul != NULL)
    body.n = (size_t)(nul - body.p);
  ofox_json_scan_start(&s, body);
  rc = scan(&s, to);
  if (rc == 1)
    rc = ofox_json_scan_end(&s);
  if (nul != NULL && rc >= 0) {
    s.p = nul;
    rc = OFOX_ESYNTAX;
  }
  *pos = (size_t)(s.p - text.p);
  /* a byte order mark that was cut is no garbage */
  if (text.n < 3 && memcmp(text.p, "\xEF\xBB", text.n) == 0)
    rc = 0;
  return rc;
}

const char *ofox_json_problem(struct ofox_span text, size_t pos) {
  char before = '\0', here;
  size_t i = pos;
  if (pos >= text.n)
    return NULL;
  here = text.p[pos];
  if (pos > 0)
    before = text.p[pos - 1];
  while (i > 0 && is_blank(text.p[i - 1]))
    i--;
  if (here == '\0')
    return "a NUL";
  if (before == '.')
    return "a number without digits behind its point";
  if (here == '.')
    return "a number without digits before its point";
  if (before == '0' && (unsigned char)(here - '0') < 10)
    return "a number with a leading zero";
  if (here == '+')
    return "a number with a plus sign";
  if (here == '\'')
    return "a single quote";
  if (i > 0 && text.p[i - 1] == ',' && (here == ']' || here == '}'))
    return "a comma too many";
  return NULL;
}

/* The lenient part: past a string whose opening quote is at 'p'. */
static const char *skip_string(const char *p, const char *e) {
  for (p++; p < e; p++) {
    p = ofox_json_scan_plain(p, e);
    if (p == e)
      break;
    if (*p == '"')
      return p + 1;
    if (*p == '\\' && p + 1 < e)
      p++;
  }
  return e;
}

/* Past a container that opens at 'p'; which bracket closes is not judged. */
static const char *skip_nest(const char *p, const char *e) {
  size_t depth = 0;
  while (p < e) {
    switch (*p) {
    case '"':
      p = skip_string(p, e);
      continue;
    case '{':
    case '[':
      depth++;
      break;
    case '}':
    case ']':
      if (--depth == 0)
        return p + 1;
      break;
    default:
      break;
    }
    p++;
  }
  return e;
}

static const char *skip_word(const char *p, const char *e) {
  while (p < e && !is_blank(*p) && *p != ',' && *p != ':' && *p != ']' &&
         *p != '}')
    p++;
  return p;
}

static enum ofox_json_type word_type(struct ofox_span word) {
  switch (word.n > 0 ? *word.p : 0) {
  case 'n':
    return ofox_span_eq(word, "null") ? OFOX_JSON_NULL : OFOX_JSON_NONE;
  case 't':
    return ofox_span_eq(word, "true") ? OFOX_JSON_TRUE : OFOX_JSON_NONE;
  case 'f':
    return ofox_span_eq(word, "false") ? OFOX_JSON_FALSE : OFOX_JSON_NONE;
  default:
    return ofox_json_scan_is_number(word) ? OFOX_JSON_NUMBER : OFOX_JSON_NONE;
  }
}

/* The value at 'p', which is no blank. */
static struct ofox_json value_at(const char *p, const char *e) {
  struct ofox_json v = {OFOX_JSON_NONE, {NULL, 0}};
  const char *end;
  if (p == e)
    return v;
  if (*p == '"') {
    v.type = OFOX_JSON_STRING;
    end = skip_string(p, e);
  }
  else if (*p == '{' || *p == '[') {
    v.type = *p == '{' ? OFOX_JSON_OBJECT : OFOX_JSON_ARRAY;
    end = skip_nest(p, e);
  }
  else
    end = skip_word(p, e);
  v.raw.p = p;
  v.raw.n = (size_t)(end - p);
  if (v.type == OFOX_JSON_NONE)
    v.type = word_type(v.raw);
  return v;
}

struct ofox_json ofox_json_root(struct ofox_span text) {
  struct ofox_json none = {OFOX_JSON_NONE, {NULL, 0}};
  struct ofox_span s = ofox_utf8_skip_bom(text);
  if (s.n == 0)
    return none;
  return value_at(skip_blanks(s.p, s.p + s.n), s.p + s.n);
}

int ofox_json_next(struct ofox_json v, size_t *pos, struct ofox_json *key,
                   struct ofox_json *child) {
  struct ofox_json none = {OFOX_JSON_NONE, {NULL, 0}};
  const char *e, *p;
  *key = *child = none;
  if (v.type != OFOX_JSON_ARRAY && v.type != OFOX_JSON_OBJECT)
    return 0;
  e = v.raw.p + v.raw.n;
  p = skip_blanks(v.raw.p + (*pos == 0 ? 1 : *pos), e);
  if (*pos > 0) {
    if (p == e || *p != ',')
      return 0;
    p = skip_blanks(p + 1, e);
  }
  if (v.type == OFOX_JSON_OBJECT) {
    if (p == e || *p != '"')
      return 0;
    *key = value_at(p, e);
    p = skip_blanks(p + key->raw.n, e);
    if (p == e || *p != ':')
      return 0;
    p = skip_blanks(p + 1, e);
  }
  *child = value_at(p, e);
  if (child->type == OFOX_JSON_NONE)
    return 0;
  *pos = (size_t)(child->raw.p + child->raw.n - v.raw.p);
  return 1;
}

struct ofox_json ofox_json_get(struct ofox_json v, const char *key) {
  struct ofox_json k, child;
  size_t pos = 0;
  while (ofox_json_next(v, &pos, &k, &child)) {
    if (ofox_json_is(k, key))
      return child;
  }
  child.type = OFOX_JSON_NONE;
  return child;
}

struct ofox_json ofox_json_at(struct ofox_json v, size_t i) {
  struct ofox_json k, child;
  size_t pos = 0;
  if (v.type != OFOX_JSON_ARRAY)
    v.type = OFOX_JSON_NONE;
  while (ofox_json_next(v, &pos, &k, &child)) {
    if (i-- == 0)
      return child;
  }
  child.type = OFOX_JSON_NONE;
  return child;
}
