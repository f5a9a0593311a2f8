#include "wire/delta.h"

#include <string.h>

#include "base/utf8.h"
#include "wire/dialects/reading.h"

/* Most numbers that differ are counts: digits up to the next member. Returns
** the place behind it, or NULL: it is none. */
static const char *count_end(const char *p, const char *e) {
  const char *end = ofox_json_scan_count(p, e);
  return end > p && end < e && (*end == ',' || *end == '}') ? end : NULL;
}

/* Likewise of a value of any kind: v->type. */
static const char *value_end(struct ofox_json v, const char *e) {
  enum ofox_json_type type = v.type;
  struct ofox_json_scan s;
  struct ofox_span text;
  text.p = v.raw.p;
  text.n = (size_t)(e - text.p);
  ofox_json_scan_start(&s, text);
  if (type != OFOX_JSON_STRING)
    return ofox_json_scan_value(&s, &v) == 1 && v.type == type ? s.p : NULL;
  if (text.n == 0 || *s.p++ != '"' || ofox_json_scan_string(&s) != 1)
    return NULL;
  return memchr(text.p, '\0', (size_t)(s.p - text.p)) == NULL ? s.p : NULL;
}

/*
** Many events of a stream differ from the previous one only in their text: the
** parts before and after it need not be read again.
*/
int ofox_delta_again(struct ofox_span before, const struct ofox_holes *of,
                     struct ofox_span data, struct ofox_holes *out) {
  const char *was = before.p, *p = data.p, *e = p + data.n, *end;
  const struct ofox_json *v = of->at;
  struct ofox_json *to;
  size_t n;
  int i;
  if (of->text < 0)
    return 0;
  for (i = 0; i < of->n; i++, v++) {
    to = &out->at[i];
    n = (size_t)(v->raw.p - was);
    if ((size_t)(e - p) < n || memcmp(p, was, n) != 0)
      return 0;
    p += n;
    to->type = v->type;
    to->raw.p = p;
    end = v->type == OFOX_JSON_NUMBER ? count_end(p, e) : NULL;
    p = end != NULL ? end : value_end(*to, e);
    if (p == NULL)
      return 0;
    to->raw.n = (size_t)(p - to->raw.p);
    was = v->raw.p + v->raw.n;
  }
  out->n = of->n;
  out->text = of->text;
  n = (size_t)(before.p + before.n - was);
  return out->at[of->text].raw.n > 2 && (size_t)(e - p) == n &&
         memcmp(p, was, n) == 0;
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
