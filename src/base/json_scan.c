#include "base/json_scan.h"

#include <stdint.h>
#include <string.h>

#include "base/json_escape.h"

#define ONES 0x0101010101010101U
#define HIGHS 0x8080808080808080U
#define NEAR 64 /* bytes in which most strings end */

/* A scan is one loop; without calls in it the constants stay in registers. */
#if defined(__GNUC__)
#define INLINE inline __attribute__((always_inline))
#else
#define INLINE inline
#endif

/*
** What ends a plain run: the top bit of each byte of 'w' that is a quote or a
** backslash. The lowest is never wrong.
*/
static INLINE uint64_t ends(const char *p) {
  uint64_t w;
  memcpy(&w, p, sizeof(w));
  return (((w ^ ONES * '"') - ONES) | ((w ^ ONES * '\\') - ONES)) & ~w & HIGHS;
}

/* The first byte of a word with such ends in it. */
static INLINE const char *first_end(const char *p, uint64_t w) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#if defined(__GNUC__)
  return p + (__builtin_ctzll(w) >> 3);
#else
  /* how many whole bytes lie below the lowest hit */
  return p + ((((w & (0 - w)) - 1) >> 7 & ONES) * ONES >> 56);
#endif
#else
  for (; *p != '"' && *p != '\\'; p++)
    (void)w;
  return p;
#endif
}

/* In long runs the library's search is faster. A window is never much longer
** than what was passed, so that no byte is searched often. */
static const char *far_plain(const char *p, const char *e) {
  const char *hit, *backslash;
  size_t n, window;
  for (window = NEAR; p < e; p += n, window *= 2) {
    n = window < (size_t)(e - p) ? window : (size_t)(e - p);
    hit = memchr(p, '"', n);
    backslash = memchr(p, '\\', hit != NULL ? (size_t)(hit - p) : n);
    if (backslash != NULL || hit != NULL)
      return backslash != NULL ? backslash : hit;
  }
  return e;
}

const char *ofox_json_scan_plain(const char *p, const char *e) {
  size_t n = (size_t)(e - p);
  uint64_t w;
  const char *near = n < NEAR ? e : p + NEAR;
  for (; (size_t)(near - p) >= sizeof(w); p += sizeof(w)) {
    w = ends(p);
    if (w != 0)
      return first_end(p, w);
  }
  while (p < near && *p != '"' && *p != '\\')
    p++;
  return p < near || p == e ? p : far_plain(p, e);
}

/*
** The functions below take a place in the text and return the one behind what
** they have read there. NULL: the scan stops, as stop() is told.
*/

static const char *stop(struct ofox_json_scan *s, const char *p, int rc) {
  s->p = p;
  s->_rc = rc;
  return NULL;
}

/* Something else should be at 'p', or is still to come. */
static const char *stop_at(struct ofox_json_scan *s, const char *p) {
  return stop(s, p, p == s->e ? 0 : OFOX_ESYNTAX);
}

static const char *skip_run(const char *p, const char *e) {
  while (p < e && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    p++;
  return p;
}

/* Few texts have any. */
static INLINE const char *skip_blanks(const char *p, const char *e) {
  return p < e && (unsigned char)*p <= ' ' ? skip_run(p, e) : p;
}

/* The same where a certain byte is likely to come. */
static INLINE const char *skip_to(const char *p, const char *e, char likely) {
  return p < e && *p == likely ? p : skip_blanks(p, e);
}

/* Past the escape at 'p'. */
static INLINE const char *escape(struct ofox_json_scan *s, const char *p) {
  struct ofox_span rest;
  unsigned long cp;
  size_t n;
  int rc;
  if (p + 1 < s->e && (p[1] == 'n' || p[1] == '"' || p[1] == '\\'))
    return p + 2;
  rest.p = p;
  rest.n = (size_t)(s->e - p);
  rc = ofox_json_escape(rest, &n, &cp);
  return rc == 1 ? p + n : stop(s, p + n, rc);
}

/* A string from a backslash or the end on. */
static const char *string_rest(struct ofox_json_scan *s, const char *p) {
  while (p < s->e && *p == '\\') {
    s->escapes = 1;
    p = escape(s, p);
    if (p == NULL)
      return NULL;
    p = ofox_json_scan_plain(p, s->e);
  }
  return p < s->e ? p + 1 : stop_at(s, p);
}

static const char *long_string(struct ofox_json_scan *s, const char *p) {
  return string_rest(s, ofox_json_scan_plain(p, s->e));
}

/* Past the quote or the escapes that end a plain run. */
static INLINE const char *run_end(struct ofox_json_scan *s, const char *p,
                                  uint64_t w) {
  p = first_end(p, w);
  return *p == '"' ? p + 1 : string_rest(s, p);
}

/* Where the text ends soon. */
static const char *short_string(struct ofox_json_scan *s, const char *p) {
  const char *e = s->e;
  uint64_t w;
  for (; (size_t)(e - p) >= sizeof(w); p += sizeof(w)) {
    w = ends(p);
    if (w != 0)
      return run_end(s, p, w);
  }
  while (p < e && *p != '"' && *p != '\\')
    p++;
  return p < e && *p == '"' ? p + 1 : string_rest(s, p);
}

/* From after the opening quote to after the closing one. */
static INLINE const char *string(struct ofox_json_scan *s, const char *p) {
  uint64_t w;
  if ((size_t)(s->e - p) < 3 * sizeof(w))
    return short_string(s, p);
  w = ends(p);
  if (w != 0)
    return run_end(s, p, w);
  p += sizeof(w);
  w = ends(p);
  if (w != 0)
    return run_end(s, p, w);
  p += sizeof(w);
  w = ends(p);
  return w != 0 ? run_end(s, p, w) : long_string(s, p + sizeof(w));
}

static INLINE int is_digit(char c) {
  return (unsigned)(c - '0') <= 9;
}

/* Past the digits at 'p', if there are any. */
static INLINE const char *skip_digits(const char *p, const char *e) {
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  uint64_t w;
  if ((size_t)(e - p) >= sizeof(w)) {
    memcpy(&w, p, sizeof(w));
    w ^= ONES * '0'; /* digits are less than 10 now: the lowest other is hit */
    w = (w | (w + ONES * (0x80 - 10))) & HIGHS;
    if (w != 0)
      return first_end(p, w);
    p += sizeof(w);
  }
#endif
  while (p < e && is_digit(*p))
    p++;
  return p;
}

/* At least one. */
static INLINE const char *digits(struct ofox_json_scan *s, const char *p) {
  const char *end = skip_digits(p, s->e);
  return end > p ? end : stop_at(s, p);
}

const char *ofox_json_scan_count(const char *p, const char *e) {
  return p < e && *p != '0' ? skip_digits(p, e) : p;
}

static const char *number(struct ofox_json_scan *s, const char *p) {
  const char *e = s->e;
  if (*p == '-')
    p++;
  if (p < e && *p == '0')
    p++;
  else
    p = digits(s, p);
  if (p != NULL && p < e && *p == '.')
    p = digits(s, p + 1);
  if (p != NULL && p < e && (*p | 32) == 'e') {
    p++;
    if (p < e && (*p == '+' || *p == '-'))
      p++;
    p = digits(s, p);
  }
  return p;
}

static const char *part_of(struct ofox_json_scan *s, const char *p,
                           const char *word) {
  while (p < s->e && *p == *word) {
    p++;
    word++;
  }
  return stop_at(s, p);
}

static INLINE const char *literal(struct ofox_json_scan *s, const char *p,
                                  const char *word, size_t n) {
  if ((size_t)(s->e - p) >= n && memcmp(p, word, n) == 0)
    return p + n;
  return part_of(s, p, word);
}

/* The same of a string that a watcher may want to see. */
static INLINE const char *seen_string(struct ofox_json_scan *s, const char *p,
                                      int watched) {
  struct ofox_span text;
  text.p = p;
  p = string(s, p);
  if (watched && p != NULL &&
      (s->watch->starts[(unsigned char)*text.p] || s->escapes)) {
    text.n = (size_t)(p - text.p) - 1;
    s->watch->see(s->watch, text, s->escapes);
    s->escapes = 0;
  }
  return p;
}

/* One that is no container; there is a byte. */
static INLINE const char *scalar(struct ofox_json_scan *s, const char *p,
                                 int watched) {
  if (*p == '"')
    return seen_string(s, p + 1, watched);
  switch (*p) {
  case 't':
    return literal(s, p, "true", 4);
  case 'f':
    return literal(s, p, "false", 5);
  case 'n':
    return literal(s, p, "null", 4);
  default:
    return *p == '-' || is_digit(*p) ? number(s, p) : stop_at(s, p);
  }
}

static enum ofox_json_type type_at(const char *p) {
  switch (*p) {
  case '{':
    return OFOX_JSON_OBJECT;
  case '[':
    return OFOX_JSON_ARRAY;
  case '"':
    return OFOX_JSON_STRING;
  case 't':
    return OFOX_JSON_TRUE;
  case 'f':
    return OFOX_JSON_FALSE;
  case 'n':
    return OFOX_JSON_NULL;
  default:
    return OFOX_JSON_NUMBER;
  }
}

static INLINE int is_bracket(char c) {
  return c == '{' || c == '[';
}

static INLINE char closes(char opens) {
  return opens == '{' ? '}' : ']';
}

static INLINE int in_object(const struct ofox_json_scan *s) {
  return s->_objects[s->depth >> 3] >> (s->depth & 7) & 1;
}

/* A name and its colon, behind blanks. */
static INLINE const char *name_of(struct ofox_json_scan *s, const char *p,
                                  struct ofox_span *name, int watched) {
  p = skip_to(p, s->e, '"');
  if (p == s->e || *p != '"')
    return stop_at(s, p);
  name->p = p + 1;
  p = seen_string(s, p + 1, watched);
  if (p == NULL)
    return NULL;
  name->n = (size_t)(p - name->p) - 1;
  p = skip_to(p, s->e, ':');
  return p < s->e && *p == ':' ? p + 1 : stop_at(s, p);
}

static INLINE const char *enter(struct ofox_json_scan *s, const char *p) {
  unsigned char bit;
  if (s->depth == OFOX_JSON_DEPTH)
    return stop_at(s, p);
  s->depth++;
  bit = (unsigned char)(1U << (s->depth & 7));
  if (*p == '{')
    s->_objects[s->depth >> 3] |= bit;
  else
    s->_objects[s->depth >> 3] &= (unsigned char)~bit;
  return p + 1;
}

/*
** The next member of a container that 'close' closes, up to its value or the
** blanks before it; or past the bracket that closes it, then 'closed' is set.
*/
static INLINE const char *member(struct ofox_json_scan *s, const char *p,
                                 int first, char close, int *closed,
                                 struct ofox_span *name, int watched) {
  p = skip_to(p, s->e, ',');
  *closed = 0;
  if (p == s->e)
    return stop_at(s, p);
  if (*p == ',' && !first)
    p++;
  else if (*p == close)
    *closed = 1;
  else if (!first)
    return stop_at(s, p);
  if (*closed)
    return p + 1;
  return close == '}' ? name_of(s, p, name, watched) : p;
}

/* A container with all that is in it, without recursion. */
static INLINE const char *nest_of(struct ofox_json_scan *s, const char *p,
                                  int watched) {
  unsigned base = s->depth;
  struct ofox_span name;
  int first = 1, closed;
  char close = closes(*p);
  p = enter(s, p);
  while (p != NULL) {
    p = member(s, p, first, close, &closed, &name, watched);
    first = 0;
    if (p == NULL)
      break;
    if (closed) {
      if (--s->depth == base)
        break;
      close = in_object(s) ? '}' : ']';
      continue;
    }
    p = skip_blanks(p, s->e);
    if (p == s->e)
      return stop_at(s, p);
    if (is_bracket(*p)) {
      first = 1;
      close = closes(*p);
      p = enter(s, p);
    }
    else {
      p = scalar(s, p, watched);
    }
  }
  return p;
}

static const char *nest(struct ofox_json_scan *s, const char *p) {
  return nest_of(s, p, 0);
}

static const char *watched_nest(struct ofox_json_scan *s, const char *p) {
  return nest_of(s, p, 1);
}

static int moved(struct ofox_json_scan *s, const char *p) {
  if (p == NULL)
    return s->_rc;
  s->p = p;
  return 1;
}

void ofox_json_scan_start(struct ofox_json_scan *s, struct ofox_span text) {
  s->p = text.p;
  s->e = text.p + text.n;
  s->depth = 0;
  s->escapes = 0;
  s->watch = NULL;
}

int ofox_json_scan_is_number(struct ofox_span word) {
  struct ofox_json_scan s;
  ofox_json_scan_start(&s, word);
  return word.n > 0 && number(&s, word.p) == s.e;
}

int ofox_json_scan_end(struct ofox_json_scan *s) {
  s->p = skip_blanks(s->p, s->e);
  return s->p == s->e ? 1 : OFOX_ESYNTAX;
}

char ofox_json_scan_peek(struct ofox_json_scan *s) {
  s->p = skip_blanks(s->p, s->e);
  return s->p == s->e ? '\0' : *s->p;
}

int ofox_json_scan_string(struct ofox_json_scan *s) {
  s->escapes = 0;
  return moved(s, string(s, s->p));
}

int ofox_json_scan_value(struct ofox_json_scan *s, struct ofox_json *v) {
  const char *p = skip_blanks(s->p, s->e);
  int rc;
  if (p == s->e)
    return moved(s, stop_at(s, p));
  s->escapes = 0;
  v->raw.p = p;
  v->type = type_at(p);
  if (!is_bracket(*p))
    p = scalar(s, p, s->watch != NULL);
  else if (s->watch == NULL)
    p = nest(s, p);
  else
    p = watched_nest(s, p);
  rc = moved(s, p);
  v->raw.n = (size_t)(s->p - v->raw.p);
  return rc;
}

int ofox_json_scan_enter(struct ofox_json_scan *s) {
  return moved(s, enter(s, s->p));
}

int ofox_json_scan_member(struct ofox_json_scan *s, int first,
                          struct ofox_span *name) {
  int closed, rc;
  s->escapes = 0;
  rc = moved(s, member(s, s->p, first, in_object(s) ? '}' : ']', &closed, name,
                       s->watch != NULL));
  if (rc != 1 || !closed)
    return rc;
  s->depth--;
  return OFOX_JSON_SCAN_CLOSED;
}
