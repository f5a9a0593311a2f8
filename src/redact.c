#include "redact.h"

#include <string.h>

#include "base64.h"

#define MARK "***"
#define MARK_N 3 /* less than OFOX_SECRET_MIN: text shrinks */

/* What may have happened to each character of a secret on its way. */
enum way { RAW, URL, JSON, WAYS };

#define NESTED 7 /* backslashes more than one: JSON three times in JSON */

#define NO 0
#define OVER ((size_t)-1) /* the text ends within a character */

void ofox_redact_init(struct ofox_redact *r) {
  ofox_buf_init(&r->_secrets, 0);
  ofox_buf_init(&r->_forms, 0);
}

static void wipe(struct ofox_buf *b) {
  volatile char *p = b->p;
  size_t i;
  for (i = 0; i < b->_size; i++)
    p[i] = 0;
  ofox_buf_free(b);
}

void ofox_redact_free(struct ofox_redact *r) {
  wipe(&r->_secrets);
  wipe(&r->_forms);
}

/* Secrets move by hand: realloc would leave a copy behind. */
static int make_room(struct ofox_buf *b, size_t more) {
  struct ofox_buf new;
  int rc;
  ofox_buf_init(&new, b->n + more);
  rc = ofox_buf_reserve(&new, new.cap);
  if (rc == 0)
    rc = ofox_buf_addspan(&new, ofox_buf_span(b));
  if (rc != 0)
    return rc;
  wipe(b);
  *b = new;
  return 0;
}

static int add_text(struct ofox_buf *b, struct ofox_span s) {
  int rc = ofox_buf_add(b, &s.n, sizeof(s.n));
  return rc != 0 ? rc : ofox_buf_addspan(b, s);
}

/* Walks a list of texts: start with '*pos' = 0. */
static int next_text(const struct ofox_buf *list, size_t *pos,
                     struct ofox_span *text) {
  if (*pos >= list->n)
    return 0;
  memcpy(&text->n, list->p + *pos, sizeof(text->n));
  text->p = list->p + *pos + sizeof(text->n);
  *pos += sizeof(text->n) + text->n;
  return 1;
}

int ofox_redact_secret(struct ofox_redact *r, struct ofox_span secret) {
  struct ofox_span other;
  size_t pos = 0;
  int rc;
  if (secret.n < OFOX_SECRET_MIN)
    return 0;
  if (secret.n > OFOX_SECRET_MAX)
    return OFOX_ECAP;
  while (next_text(&r->_secrets, &pos, &other)) {
    if (other.n == secret.n && memcmp(other.p, secret.p, secret.n) == 0)
      return 0;
  }
  rc = make_room(&r->_secrets, sizeof(secret.n) + secret.n);
  if (rc != 0)
    return rc;
  wipe(&r->_forms);
  return add_text(&r->_secrets, secret);
}

/*
** The letters that 's' gives when it stands 'before' bytes behind a multiple
** of three: those that its neighbours have no part in.
*/
static int add_base64(struct ofox_buf *out, struct ofox_span s, size_t before,
                      int url_safe) {
  size_t first = (before * 8 + 5) / 6, end = (before + s.n) * 8 / 6;
  size_t i, bit, n = end - first;
  unsigned v;
  char c;
  int rc = ofox_buf_add(out, &n, sizeof(n));
  for (i = first; rc == 0 && i < end; i++) {
    bit = i * 6 - before * 8;
    v = (unsigned)(unsigned char)s.p[bit / 8] << 8;
    if (bit / 8 + 1 < s.n)
      v |= (unsigned char)s.p[bit / 8 + 1];
    c = ofox_base64_letters[v >> (10 - bit % 8) & 63];
    if (url_safe && c == '+')
      c = '-';
    else if (url_safe && c == '/')
      c = '_';
    rc = ofox_buf_addc(out, c);
  }
  return rc;
}

static int make_forms(struct ofox_redact *r) {
  struct ofox_span secret;
  size_t pos = 0, before;
  int rc = 0;
  while (rc == 0 && next_text(&r->_secrets, &pos, &secret)) {
    rc = make_room(&r->_forms, (sizeof(secret.n) + secret.n * 4 / 3 + 4) * 7);
    if (rc == 0)
      rc = add_text(&r->_forms, secret);
    for (before = 0; rc == 0 && before < 3; before++) {
      rc = add_base64(&r->_forms, secret, before, 0);
      if (rc == 0)
        rc = add_base64(&r->_forms, secret, before, 1);
    }
  }
  if (rc != 0)
    wipe(&r->_forms);
  return rc;
}

/* The value of 'n' hexadecimal digits, or -1. */
static long hex(const char *p, size_t n) {
  long v = 0;
  size_t i;
  int c;
  for (i = 0; i < n; i++) {
    c = ofox_tolower((unsigned char)p[i]);
    if (ofox_isdigit(c))
      v = v * 16 + (c - '0');
    else if (c >= 'a' && c <= 'f')
      v = v * 16 + (c - 'a' + 10);
    else
      return -1;
  }
  return v;
}

/*
** The functions below ask whether text starts with the character that 'form'
** starts with, which they take off. They return how many bytes of the text
** it is, NO or OVER.
*/

static size_t same(struct ofox_span *form, int c, size_t length) {
  if ((unsigned char)form->p[0] != c)
    return NO;
  form->p++;
  form->n--;
  return length;
}

static size_t in_url(struct ofox_span *form, const char *p, size_t n) {
  long v;
  if (p[0] == '+' && form->p[0] == ' ')
    return same(form, ' ', 1);
  if (p[0] != '%')
    return same(form, (unsigned char)p[0], 1);
  if (n < 3)
    return OVER;
  v = hex(p + 1, 2);
  return v < 0 ? NO : same(form, (int)v, 3);
}

/* \uXXXX, or two of them that make one code point: all its bytes. */
static size_t in_json_u(struct ofox_span *form, const char *p, size_t n) {
  size_t length = 6, bytes, i;
  long v, low;
  if (n < 6)
    return OVER;
  v = hex(p + 2, 4);
  if (v >= 0xD800 && v < 0xDC00) {
    if (n < 12)
      return OVER;
    low = p[6] == '\\' && p[7] == 'u' ? hex(p + 8, 4) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
      return NO;
    v = 0x10000 + ((v - 0xD800) << 10) + (low - 0xDC00);
    length = 12;
  }
  if (v < 0x80)
    return v < 0 ? NO : same(form, (int)v, length);
  /* the same in UTF-8: what is left of 0xF00 marks the length */
  bytes = v < 0x800 ? 2 : v < 0x10000 ? 3 : 4;
  if (form->n < bytes)
    return NO;
  if (same(form, (int)(0xF00 >> bytes & 0xFF) | (int)(v >> 6 * (bytes - 1)),
           1) == NO)
    return NO;
  for (i = bytes - 1; i > 0; i--) {
    if (same(form, 0x80 | (int)(v >> 6 * (i - 1) & 0x3F), 1) == NO)
      return NO;
  }
  return length;
}

static size_t in_json(struct ofox_span *form, const char *p, size_t n) {
  static const char escapes[] = "b\bf\fn\nr\rt\t";
  size_t i, more = 0, length;
  if (p[0] != '\\')
    return same(form, (unsigned char)p[0], 1);
  /* JSON within JSON has them doubled */
  while (form->p[0] != '\\' && more < NESTED && more + 1 < n &&
         p[more + 1] == '\\')
    more++;
  p += more;
  n -= more;
  if (n < 2)
    return OVER;
  if (p[1] == 'u') {
    length = in_json_u(form, p, n);
    return length == NO || length == OVER ? length : length + more;
  }
  for (i = 0; i < sizeof(escapes) - 1; i += 2) {
    if (p[1] == escapes[i])
      return same(form, escapes[i + 1], 2 + more);
  }
  return same(form, (unsigned char)p[1], 2 + more);
}

/* How many bytes at the start of the text are 'form', or NO. */
static size_t match(struct ofox_span form, const char *p, size_t n,
                    enum way way) {
  size_t whole = form.n, at = 0, step = 0;
  while (form.n > 0 && at < n) {
    if (way == RAW)
      step = same(&form, (unsigned char)p[at], 1);
    else if (way == URL)
      step = in_url(&form, p + at, n - at);
    else
      step = in_json(&form, p + at, n - at);
    if (step == NO)
      return NO;
    if (step == OVER)
      break;
    at += step;
  }
  if (form.n == 0)
    return at;
  return whole - form.n < OFOX_SECRET_MIN ? NO : n;
}

static size_t longest(const struct ofox_redact *r, const char *p, size_t n) {
  struct ofox_span form;
  size_t pos = 0, best = 0, length;
  int way;
  while (next_text(&r->_forms, &pos, &form)) {
    for (way = RAW; way < WAYS; way++) {
      length = match(form, p, n, (enum way)way);
      if (length > best)
        best = length;
    }
  }
  return best;
}

int ofox_redact_apply(struct ofox_redact *r, struct ofox_buf *text) {
  char starts[256] = {0}; /* what a form can start with in some way */
  struct ofox_span form;
  size_t pos = 0, i, length, end = 0, out = 0;
  int inside = 0;
  if (text->n == 0 || r->_secrets.n == 0)
    return 0;
  if (r->_forms.n == 0 && make_forms(r) != 0) {
    text->n = 0;
    ofox_buf_fill(text, ofox_span_of(MARK));
    return OFOX_EMEM;
  }
  while (next_text(&r->_forms, &pos, &form))
    starts[(unsigned char)form.p[0]] = 1;
  starts['%'] = starts['+'] = starts['\\'] = 1;
  /* a mark is written where its run ends: all of the run has to be read */
  for (i = 0; i <= text->n; i++) {
    length = 0;
    if (i < text->n && starts[(unsigned char)text->p[i]])
      length = longest(r, text->p + i, text->n - i);
    if (length > 0) {
      inside = 1;
      end = i + length > end ? i + length : end;
    }
    if (inside && i >= end) {
      memcpy(text->p + out, MARK, MARK_N);
      out += MARK_N;
      inside = 0;
    }
    if (!inside && i < text->n)
      text->p[out++] = text->p[i];
  }
  text->n = out;
  return 0;
}
