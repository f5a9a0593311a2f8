#include "errors.h"

#include <math.h>
#include <string.h>

#include "aliases.h"
#include "json.h"
#include "utf8.h"
#include "when.h"

#define DEPTH 4             /* of envelopes inside envelopes */
#define TEXT_IN (16 * 1024) /* of a text this much is read */
#define DELAY_MAX 1e9       /* seconds; more is no delay but a moment */

const struct ofox_class_row ofox_classes[OFOX_NCLASSES] = {
#define X(id, name, type, retryable) {name, type, retryable},
    OFOX_CLASSES(X)
#undef X
};

const struct ofox_outcome_row ofox_outcomes[OFOX_NOUTCOMES] = {
#define X(id, cls, code, message) {OFOX_CLASS_##cls, code, message},
    OFOX_OUTCOMES(X)
#undef X
};

/* A body and what was found in it, while it is read. */
struct reader {
  struct ofox_error *e;
  struct ofox_span body;  /* without a BOM and blanks around */
  struct ofox_json root;  /* NONE if this is no JSON */
  struct ofox_json top;   /* the root, or the first of it if it is a list */
  struct ofox_json error; /* what says code, type and param */
  struct ofox_buf text, clean;
  int rc;
};

void ofox_error_init(struct ofox_error *e) {
  memset(e, 0, sizeof(*e));
  e->cls = OFOX_CLASS_INTERNAL;
  e->delay = NAN;
  e->message.cap = OFOX_MESSAGE_CAP;
  e->code.cap = e->param.cap = OFOX_CODE_CAP;
  e->server_type.cap = e->request_id.cap = OFOX_CODE_CAP;
}

void ofox_error_free(struct ofox_error *e) {
  ofox_buf_free(&e->message);
  ofox_buf_free(&e->code);
  ofox_buf_free(&e->param);
  ofox_buf_free(&e->server_type);
  ofox_buf_free(&e->request_id);
}

static struct ofox_span skip(struct ofox_span s, size_t n) {
  s.p += n;
  s.n -= n;
  return s;
}

/* Words and classes */

static size_t skip_separators(const char *p, size_t i, size_t n) {
  while (i < n && memchr("_-. ", p[i], 4) != NULL)
    i++;
  return i;
}

/* Is 's' one of 'words', which blanks separate? */
static int is_among(struct ofox_span s, const char *words) {
  size_t i, j, n;
  for (; *words != '\0'; words += n + strspn(words + n, " ")) {
    n = strcspn(words, " ");
    for (i = j = 0;; i++, j++) {
      i = skip_separators(s.p, i, s.n);
      j = skip_separators(words, j, n);
      if (i == s.n || j == n ||
          ofox_tolower((unsigned char)s.p[i]) != words[j])
        break;
    }
    if (i == s.n && j == n)
      return 1;
  }
  return 0;
}

/* The class that a type or code names, or NCLASSES. */
static enum ofox_class named_class(struct ofox_span word) {
  static const struct {
    enum ofox_class cls;
    const char *words;
  } rows[] = {
#define X(id, name, type, retryable) {OFOX_CLASS_##id, type},
      OFOX_CLASSES(X)
#undef X
#define X(id, words) {OFOX_CLASS_##id, words},
          OFOX_ALIASES(X)
#undef X
  };
  size_t i;
  for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (is_among(word, rows[i].words))
      return rows[i].cls;
  }
  return OFOX_NCLASSES;
}

/* Of a status >= 400. */
static enum ofox_class status_class(int status) {
  switch (status) {
#define X(s, id)                                                              \
  case s:                                                                     \
    return OFOX_CLASS_##id;
    OFOX_STATUSES(X)
#undef X
  default:
    return status < 500 ? OFOX_CLASS_INVALID_REQUEST : OFOX_CLASS_INTERNAL;
  }
}

/*
** What the status makes of it, which an error inside a success may have for a
** code, or else type and code.
*/
static void classify(struct ofox_error *e, enum ofox_class fallback) {
  struct ofox_span code = ofox_buf_span(&e->code);
  enum ofox_class by_type = named_class(ofox_buf_span(&e->server_type));
  enum ofox_class by_code = named_class(code);
  int spent = by_type == OFOX_CLASS_BILLING || by_code == OFOX_CLASS_BILLING;
  int status = e->status >= 400 ? e->status : 0;
  double inner;
  if (status == 0 && ofox_when_seconds(code, &inner) && inner >= 400 &&
      inner <= 599 && floor(inner) == inner)
    status = (int)inner;
  if (status != 0)
    e->cls = status_class(status);
  else if (by_type != OFOX_NCLASSES)
    e->cls = by_type;
  else
    e->cls = by_code != OFOX_NCLASSES ? by_code : fallback;
  if (e->cls == OFOX_CLASS_RATE_LIMIT && spent)
    e->cls = OFOX_CLASS_BILLING;
  e->retryable = ofox_classes[e->cls].retryable && !spent && status != 501 &&
                 status != 505 && status != 511;
  e->ambiguous = status == 408 || status == 504 || status == 524;
}

/* Texts */

/* 'out' becomes 's': valid, trimmed, as long as its cap. Is there any? */
static int put(struct reader *r, struct ofox_buf *out, struct ofox_span s) {
  int rc;
  ofox_buf_clear(out);
  ofox_buf_clear(&r->clean);
  rc = ofox_utf8_clean(&r->clean, ofox_utf8_cut(s, TEXT_IN));
  if (rc == 0) {
    s = ofox_span_trim(ofox_buf_span(&r->clean));
    rc = ofox_buf_addspan(out, ofox_utf8_cut(s, out->cap));
  }
  r->rc |= rc;
  return out->n > 0;
}

static int put_string(struct reader *r, struct ofox_buf *out,
                      struct ofox_json v) {
  ofox_buf_clear(&r->text);
  v.raw = ofox_utf8_cut(v.raw, TEXT_IN);
  r->rc |= ofox_json_text(v, &r->text);
  return put(r, out, ofox_buf_span(&r->text));
}

/* A string as it is, a number as its decimal digits. */
static int put_word(struct reader *r, struct ofox_buf *out,
                    struct ofox_json v) {
  double number;
  if (v.type != OFOX_JSON_NUMBER || !ofox_json_number(v, &number))
    return put_string(r, out, v);
  if (floor(number) != number || fabs(number) > 1e9)
    return put(r, out, v.raw);
  ofox_buf_clear(out);
  r->rc |= ofox_buf_addint(out, (long)number);
  return 1;
}

/* "HTTP 502 (no body)" */
static void put_note(struct reader *r, const char *note) {
  struct ofox_buf *out = &r->e->message;
  ofox_buf_clear(out);
  if (r->e->status > 0) {
    r->rc |= ofox_buf_adds(out, "HTTP ");
    r->rc |= ofox_buf_addint(out, r->e->status);
    r->rc |= ofox_buf_addc(out, ' ');
  }
  r->rc |= ofox_buf_adds(out, note);
}

/* The first text that 'v' holds for people. */
static int put_speech(struct reader *r, struct ofox_json v, int depth) {
  static const char *const keys[] = {"error",     "message",          "detail",
                                     "title",     "errors",           "msg",
                                     "error_msg", "error_description"};
  size_t i;
  if (v.type == OFOX_JSON_STRING)
    return put_string(r, &r->e->message, v);
  if (depth == 0)
    return 0;
  if (v.type == OFOX_JSON_ARRAY)
    return put_speech(r, ofox_json_at(v, 0), depth - 1);
  for (i = 0; v.type == OFOX_JSON_OBJECT && i < sizeof(keys) / sizeof(keys[0]);
       i++) {
    if (put_speech(r, ofox_json_get(v, keys[i]), depth - 1))
      return 1;
  }
  return 0;
}

/* HTML */

/* What follows the first 'end' in 's', nothing if there is none. */
static struct ofox_span skip_past(struct ofox_span s, const char *end) {
  size_t at = ofox_span_ifind(s, end);
  return skip(s, at == (size_t)-1 ? s.n : at + strlen(end));
}

int ofox_errors_is_html(struct ofox_span body) {
  struct ofox_span s = ofox_span_trim(ofox_utf8_skip_bom(body));
  while (ofox_span_ihas_prefix(s, "<?xml") || ofox_span_ihas_prefix(s, "<!--"))
    s = ofox_span_trim(skip_past(s, s.p[1] == '?' ? "?>" : "-->"));
  return ofox_span_ihas_prefix(s, "<!doctype html") ||
         (ofox_span_ihas_prefix(s, "<html") &&
          (s.n == 5 || s.p[5] == '>' || ofox_isspace((unsigned char)s.p[5])));
}

/* Takes a character reference off 's' and adds what it stands for. */
static int put_reference(struct ofox_buf *out, struct ofox_span *s) {
  static const char *const rows[] = {
      "&amp;",   "&", "&lt;",    "<", "&gt;",    ">",  "&quot;",  "\"",
      "&apos;",  "'", "&nbsp;",  " ", "&#34;",   "\"", "&#38;",   "&",
      "&#038;",  "&", "&#39;",   "'", "&#x27;",  "'",  "&#8211;", "-",
      "&ndash;", "-", "&#8212;", "-", "&mdash;", "-",  "&",       "&"};
  size_t i = 0;
  while (!ofox_span_ihas_prefix(*s, rows[i]))
    i += 2;
  *s = skip(*s, strlen(rows[i]));
  return ofox_buf_adds(out, rows[i + 1]);
}

/* What a browser shows of the first element of that name: "<h1", "</h1". */
static int put_element(struct reader *r, const char *open, const char *close) {
  struct ofox_span s = skip_past(skip_past(r->body, open), ">");
  struct ofox_buf *out = &r->text;
  size_t end;
  int c;
  s = ofox_utf8_cut(s, TEXT_IN);
  end = ofox_span_ifind(s, close);
  if (end < s.n)
    s.n = end;
  ofox_buf_clear(out);
  while (s.n > 0) {
    c = (unsigned char)s.p[0];
    s = c == '<' ? skip_past(s, ">") : skip(s, c != '&');
    if (c == '&')
      r->rc |= put_reference(out, &s);
    else if (c != '<' && !ofox_isspace(c))
      r->rc |= ofox_buf_addc(out, (char)c);
    else if (out->n > 0 && out->p[out->n - 1] != ' ')
      r->rc |= ofox_buf_addc(out, ' ');
  }
  return put(r, &r->e->message, ofox_buf_span(out));
}

static int put_title(struct reader *r) {
  return put_element(r, "<title", "</title") || put_element(r, "<h1", "</h1");
}

/* Delays */

static int take_delay(struct ofox_error *e, double seconds) {
  if (!(seconds >= 0 && seconds <= DELAY_MAX))
    return 0;
  e->delay = seconds;
  return 1;
}

/* Takes letters off 's': the seconds that they stand for, 0 for no unit. */
static double take_unit(struct ofox_span *s) {
  static const char *const words[] = {
      "d day days", "h hr hrs hour hours", "m min mins minute minutes",
      "s sec secs second seconds", "ms msec millisecond milliseconds"};
  static const double seconds[] = {86400, 3600, 60, 1, 0.001};
  struct ofox_span word = *s;
  size_t i = 0;
  while (i < s->n &&
         (unsigned)(ofox_tolower((unsigned char)s->p[i]) - 'a') < 26)
    i++;
  word.n = i;
  *s = skip(*s, i);
  for (i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
    if (is_among(word, words[i]))
      return seconds[i];
  }
  return 0;
}

static struct ofox_span skip_fillers(struct ofox_span s) {
  while (s.n > 0 && memchr(" ,:~", s.p[0], 4) != NULL)
    s = skip(s, 1);
  return ofox_span_ihas_prefix(s, "and ") ? skip(s, 4) : s;
}

/*
** "1s", "6m0s", "20 seconds", "1 minute and 30 seconds"; 'bare' is the unit
** of a number that stands alone, 0 if it must not.
*/
static int read_prose(struct ofox_error *e, struct ofox_span s, double bare) {
  double v, unit, sum = 0, last = INFINITY;
  struct ofox_span number;
  for (;;) {
    number = s = skip_fillers(s);
    number.n = 0;
    while (number.n < s.n && (ofox_isdigit((unsigned char)s.p[number.n]) ||
                              s.p[number.n] == '.'))
      number.n++;
    if (!ofox_when_seconds(number, &v))
      break;
    s = skip_fillers(skip(s, number.n));
    unit = s.n == 0 && last == INFINITY ? bare : take_unit(&s);
    if (unit <= 0 || unit >= last)
      break;
    sum += v * unit;
    last = unit;
  }
  return last < INFINITY && take_delay(e, sum);
}

/* Looks in an object, and in those that it keeps for details. */
static int find_delay(struct reader *r, struct ofox_json v, int depth) {
  static const char *const keys[] = {"retry_after_ms", "retry_after",
                                     "retryAfter", "retryDelay"};
  struct ofox_json key, child;
  size_t i, pos = 0;
  double n, unit = 0.001;
  for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++, unit = 1) {
    child = ofox_json_get(v, keys[i]);
    /* what the end of the text may have cut is not believed */
    if (child.type == OFOX_JSON_NONE ||
        child.raw.p + child.raw.n == r->body.p + r->body.n)
      continue;
    if (child.type == OFOX_JSON_STRING) {
      child.raw = skip(child.raw, 1);
      child.raw.n--;
      if (read_prose(r->e, child.raw, unit))
        return 1;
    }
    else if (ofox_json_number(child, &n) && take_delay(r->e, n * unit))
      return 1;
  }
  if (depth == 0)
    return 0;
  v = ofox_json_get(v, "details");
  while (ofox_json_next(v, &pos, &key, &child)) {
    if (find_delay(r, child, 0))
      return 1;
  }
  return 0;
}

static void find_prose(struct ofox_error *e) {
  static const char *const phrases[] = {"retry after", "again in",
                                        "again after", "retry in", "wait"};
  struct ofox_span s = ofox_buf_span(&e->message);
  size_t i = 0;
  while (i < sizeof(phrases) / sizeof(phrases[0]) &&
         !read_prose(e, skip_past(s, phrases[i]), 0))
    i++;
}

/* Envelopes */

static void open_envelope(struct reader *r) {
  size_t pos;
  r->root = r->top = ofox_json_root(r->body);
  if (r->top.type == OFOX_JSON_ARRAY)
    r->top = ofox_json_at(r->top, 0);
  else if (r->top.type != OFOX_JSON_OBJECT &&
           ofox_json_check(r->body, &pos) < 0)
    r->root.type = r->top.type = OFOX_JSON_NONE;
  r->error = ofox_json_get(r->top, "error");
  if (r->error.type != OFOX_JSON_OBJECT)
    r->error = r->top;
}

static int is_hollow(struct ofox_json v) {
  struct ofox_json key, child;
  size_t at, pos = 0;
  return v.type != OFOX_JSON_NONE && ofox_json_check(v.raw, &at) == 1 &&
         !ofox_json_next(v, &pos, &key, &child);
}

/* A message where no JSON has one. */
static void put_rest(struct reader *r) {
  const char *none = NULL;
  if (r->e->status < 400)
    none = "(an error without a message)";
  else if (r->body.n == 0)
    none = "(no body)";
  else if (ofox_errors_is_html(r->body))
    none = put_title(r) ? NULL : "(an HTML page)";
  else if (is_hollow(r->root))
    none = "(no message)";
  else if (memchr(r->body.p, 0, r->body.n) != NULL ||
           !put(r, &r->e->message, r->body))
    none = "(a binary body)";
  if (none != NULL)
    put_note(r, none);
}

static void read_body(struct reader *r, enum ofox_class fallback) {
  struct ofox_error *e = r->e;
  struct ofox_span type;
  int spoke;
  open_envelope(r);
  put_word(r, &e->code, ofox_json_get(r->error, "code"));
  put_word(r, &e->param, ofox_json_get(r->error, "param"));
  put_string(r, &e->server_type, ofox_json_get(r->error, "type"));
  if (!put_word(r, &e->request_id, ofox_json_get(r->error, "request_id")))
    put_word(r, &e->request_id, ofox_json_get(r->top, "request_id"));
  classify(e, fallback);
  type = ofox_buf_span(&e->server_type);
  if (ofox_span_eq(type, ofox_classes[e->cls].type) ||
      ofox_span_eq(type, "error"))
    ofox_buf_clear(&e->server_type);
  spoke = put_speech(r, r->root, DEPTH);
  if (!spoke)
    put_rest(r);
  e->ambiguous |= e->status == 502 && !spoke;
  if (!find_delay(r, r->error, 1) && !find_delay(r, r->top, 1))
    find_prose(e);
}

/* An outcome speaks for itself, but a page may say whose it is. */
static void read_outcome(struct reader *r) {
  struct ofox_error *e = r->e;
  const struct ofox_outcome_row *row = &ofox_outcomes[e->outcome];
  e->cls = row->cls;
  e->retryable = ofox_classes[row->cls].retryable &&
                 e->outcome != OFOX_OUTCOME_STREAM_TOO_LARGE;
  /* an answer had begun, and nothing can be made of it */
  e->ambiguous = e->status / 100 == 2 && e->outcome != OFOX_OUTCOME_HTML;
  put(r, &e->code, ofox_span_of(row->code));
  if (e->outcome != OFOX_OUTCOME_HTML || !put_title(r))
    put(r, &e->message, ofox_span_of(row->message));
}

int ofox_errors_read(struct ofox_error *e, int status,
                     enum ofox_outcome outcome, struct ofox_span body,
                     enum ofox_class fallback) {
  struct reader r;
  memset(&r, 0, sizeof(r));
  ofox_buf_init(&r.text, (size_t)-1);
  ofox_buf_init(&r.clean, (size_t)-1);
  ofox_error_free(e);
  ofox_error_init(e);
  e->status = status;
  e->outcome = status >= 400 ? OFOX_OUTCOME_ANSWERED : outcome;
  r.e = e;
  r.body =
      body.n > 0 ? ofox_span_trim(ofox_utf8_skip_bom(body)) : ofox_span_of("");
  if (e->outcome == OFOX_OUTCOME_ANSWERED)
    read_body(&r, fallback);
  else
    read_outcome(&r);
  if (status == 407)
    put(&r, &e->code,
        ofox_span_of(ofox_outcomes[OFOX_OUTCOME_PROXY_AUTH].code));
  ofox_buf_free(&r.text);
  ofox_buf_free(&r.clean);
  return r.rc != 0 ? OFOX_EMEM : 0;
}
