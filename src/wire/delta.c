#include "wire/delta.h"

#include <string.h>

#include "base/utf8.h"
#include "wire/dialects/reading.h"

/* Does 's' continue with the 'n' bytes at 'p'? */
static int pass(struct ofox_json_scan *s, const char *p, size_t n) {
  if ((size_t)(s->e - s->p) < n || memcmp(s->p, p, n) != 0)
    return 0;
  s->p += n;
  return 1;
}

/* Most numbers that differ are counts: digits up to the next member. */
static int fill_count(struct ofox_json_scan *s, struct ofox_json *v) {
  const char *p = s->p;
  while (p < s->e && ofox_isdigit((unsigned char)*p))
    p++;
  if (p == s->p || p == s->e || (*p != ',' && *p != '}') ||
      (*s->p == '0' && p > s->p + 1))
    return 0;
  v->raw.n = (size_t)(p - s->p);
  s->p = p;
  return 1;
}

/* A value in the place of 'v', of the same type. */
static int fill(struct ofox_json_scan *s, struct ofox_json *v) {
  enum ofox_json_type type = v->type;
  v->raw.p = s->p;
  if (type == OFOX_JSON_NUMBER && fill_count(s, v))
    return 1;
  if (type != OFOX_JSON_STRING)
    return ofox_json_scan_value(s, v) == 1 && v->type == type;
  if (s->p == s->e || *s->p++ != '"' || ofox_json_scan_string(s) != 1)
    return 0;
  v->raw.n = (size_t)(s->p - v->raw.p);
  return memchr(v->raw.p, '\0', v->raw.n) == NULL;
}

/*
** Many events of a stream differ from the previous one only in their text: the
** parts before and after it need not be read again.
*/
int ofox_delta_again(struct ofox_span before, const struct ofox_holes *of,
                     struct ofox_span data, struct ofox_holes *out) {
  const char *p = before.p, *end = before.p + before.n;
  struct ofox_json_scan s;
  int i;
  if (of->text < 0)
    return 0;
  ofox_json_scan_start(&s, data);
  for (i = 0; i < of->n; i++) {
    const struct ofox_json *v = &of->at[i];
    out->at[i].type = v->type;
    if (!pass(&s, p, (size_t)(v->raw.p - p)) || !fill(&s, &out->at[i]))
      return 0;
    p = v->raw.p + v->raw.n;
  }
  out->n = of->n;
  out->text = of->text;
  return out->at[of->text].raw.n > 2 &&
         (size_t)(s.e - s.p) == (size_t)(end - p) &&
         memcmp(s.p, p, (size_t)(end - p)) == 0;
}

void ofox_delta_move(struct ofox_holes *h, const char *from, const char *to) {
  int i;
  for (i = 0; i < h->n; i++)
    h->at[i].raw.p = to + (h->at[i].raw.p - from);
}

static void find_text(struct ofox_delta *d) {
  d->holes.text = d->holes.n;
  while (--d->holes.text >= 0 &&
         d->holes.at[d->holes.text].raw.p != d->text.raw.p)
    continue;
}

/* Does a name alone say that it is an error? */
static int names_error(struct ofox_span type) {
  static const char end[] = ".error";
  size_t n = sizeof(end) - 1;
  return ofox_span_eq(type, "error") ||
         (type.n > n && memcmp(type.p + type.n - n, end, n) == 0);
}

int ofox_delta_is_fault(const struct ofox_dialect *dialect,
                        struct ofox_span json, struct ofox_delta *out) {
  return ofox_reading_is_fault(dialect->due, json, out);
}

/* Of what is an object. */
static void judge(struct ofox_reading *r, struct ofox_span name,
                  struct ofox_span data) {
  struct ofox_delta *out = r->out;
  const char *due = r->dialect->due;
  struct ofox_span type = name;
  if (r->type.type == OFOX_JSON_STRING && ofox_reading_says(r->type)) {
    type.p = r->type.raw.p + 1;
    type.n = r->type.raw.n - 2;
  }
  /* an event of a name of its own need not be a chunk */
  if (name.n > 0 && !ofox_span_eq(name, "message"))
    due = NULL;
  out->kind = OFOX_DELTA_CHUNK;
  out->part = data;
  if (r->dialect->is_suspect(r, type) && ofox_reading_is_fault(due, data, out))
    return;
  if (names_error(type))
    ofox_reading_fail(out, data, OFOX_CLASS_STREAM);
  else if (ofox_span_eq(type, "ping"))
    out->kind = OFOX_DELTA_SKIP;
  else
    r->dialect->judge(r, type);
}

/* The event as JSON: 1, or it is not JSON. */
static int read(struct ofox_reading *r, struct ofox_span data, int *object) {
  struct ofox_json v;
  int rc;
  ofox_json_scan_start(&r->s, ofox_utf8_skip_bom(data));
  *object = ofox_json_scan_peek(&r->s) == '{';
  rc = *object ? r->dialect->read(r) : ofox_json_scan_value(&r->s, &v);
  return rc == 1 ? ofox_json_scan_end(&r->s) : rc;
}

int ofox_delta_is_end(struct ofox_span type, struct ofox_span data) {
  return data.n >= 6 && ofox_span_eq(ofox_span_trim(data), "[DONE]") &&
         !names_error(type);
}

void ofox_delta_read(const struct ofox_dialect *dialect, struct ofox_span type,
                     struct ofox_span data, struct ofox_delta *out) {
  struct ofox_reading r;
  int object;
  memset(out, 0, sizeof(*out));
  out->fallback = OFOX_CLASS_STREAM;
  out->words = dialect->words;
  type = ofox_span_trim(type);
  if (names_error(type)) {
    if (!ofox_delta_is_fault(dialect, data, out))
      ofox_reading_fail(out, data, OFOX_CLASS_STREAM);
    return;
  }
  if (ofox_span_trim(data).n == 0)
    return;
  if (ofox_span_eq(type, "ping")) { /* it may say what it likes */
    ofox_reading_is_fault(NULL, data, out);
    return;
  }
  if (ofox_delta_is_end(type, data)) {
    out->kind = OFOX_DELTA_END;
    return;
  }
  memset((char *)&r + sizeof(r.s), 0, sizeof(r) - sizeof(r.s));
  r.out = out;
  r.dialect = dialect;
  /* a NUL is nowhere in JSON, but would end it for some decoders */
  if (memchr(data.p, '\0', data.n) != NULL || read(&r, data, &object) != 1)
    out->kind = OFOX_DELTA_BROKEN;
  else if (object) {
    judge(&r, type, data);
    find_text(out);
  }
  else
    ofox_delta_is_fault(dialect, data, out); /* a list of them */
}
