#include "wire/redact.h"

#include <stdint.h>
#include <string.h>

#include "base/base64.h"
#include "base/unescape.h"
#include "wire/secret_starts.h"

#define MARK "***"
#define MARK_N 3 /* less than OFOX_SECRET_MIN: text shrinks */

/* A form shorter than that, which only unescaping can produce from a secret,
** would match innocent text. */
#define FORM_MIN 4

void ofox_redact_init(struct ofox_redact *r) {
  ofox_buf_init(&r->_secrets, 0);
  ofox_buf_init(&r->_starts, 0);
  ofox_buf_init(&r->_forms, 0);
  r->_base = NULL;
}

void ofox_redact_begin(struct ofox_redact *r, struct ofox_redact *base) {
  r->_base = base;
}

static void wipe(struct ofox_buf *b) {
  /* the compiler cannot know the callee, so it keeps the call */
  static void *(*const volatile fill)(void *, int, size_t) = memset;
  if (b->p != NULL)
    fill(b->p, 0, b->_size);
  ofox_buf_free(b);
}

void ofox_redact_free(struct ofox_redact *r) {
  wipe(&r->_secrets);
  wipe(&r->_starts);
  wipe(&r->_forms);
  r->_base = NULL;
}

/* Copies secrets manually: realloc would leave a copy behind. */
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

static int is_known(const struct ofox_redact *r, struct ofox_span secret) {
  struct ofox_span other;
  size_t pos = 0;
  while (next_text(&r->_secrets, &pos, &other)) {
    if (other.n == secret.n && memcmp(other.p, secret.p, secret.n) == 0)
      return 1;
  }
  return 0;
}

static int copy_secrets(struct ofox_redact *r,
                        const struct ofox_redact *from) {
  int rc = make_room(&r->_secrets, from->_secrets.n);
  if (rc == 0)
    rc = ofox_buf_addspan(&r->_secrets, ofox_buf_span(&from->_secrets));
  return rc;
}

/* Copies the secrets of the base. */
static int leave_base(struct ofox_redact *r) {
  int rc = copy_secrets(r, r->_base);
  if (rc == 0)
    r->_base = NULL;
  return rc;
}

int ofox_redact_copy(struct ofox_redact *r, const struct ofox_redact *from) {
  r->_base = from->_base;
  return from->_secrets.n > 0 ? copy_secrets(r, from) : 0;
}

int ofox_redact_secret(struct ofox_redact *r, struct ofox_span secret) {
  int rc = 0;
  if (secret.n < OFOX_SECRET_MIN)
    return 0;
  if (secret.n > OFOX_SECRET_MAX)
    return OFOX_ECAP;
  if (is_known(r->_base != NULL ? r->_base : r, secret))
    return 0;
  if (r->_base != NULL)
    rc = leave_base(r);
  if (rc == 0)
    rc = make_room(&r->_secrets, sizeof(secret.n) + secret.n);
  if (rc != 0)
    return rc;
  wipe(&r->_starts);
  wipe(&r->_forms);
  return add_text(&r->_secrets, secret);
}

/* Forms: what is searched for */

/*
** A form and what a search of it needs, one behind the other in '_forms': this
** header, the table of Knuth, Morris and Pratt (for each beginning the length
** of its longest other beginning that is its end, too), and the bytes.
*/
struct form {
  size_t n;
  enum ofox_escaped how; /* text is unescaped this way before it is compared */
};

static size_t form_size(size_t n) {
  size_t size = sizeof(struct form) + n * sizeof(uint32_t) + n;
  return size + (sizeof(size_t) - size % sizeof(size_t)) % sizeof(size_t);
}

static const uint32_t *form_table(const struct form *f) {
  return (const uint32_t *)(const void *)(f + 1);
}

static const char *form_text(const struct form *f) {
  return (const char *)(form_table(f) + f->n);
}

/* Walks the forms: start with '*pos' = 0. */
static const struct form *next_form(const struct ofox_redact *r, size_t *pos) {
  const struct form *f;
  if (*pos >= r->_forms.n)
    return NULL;
  f = (const struct form *)(const void *)(r->_forms.p + *pos);
  *pos += form_size(f->n);
  return f;
}

static void fill_table(uint32_t *table, const char *p, size_t n) {
  size_t i;
  uint32_t k = 0;
  table[0] = 0;
  for (i = 1; i < n; i++) {
    while (k > 0 && p[k] != p[i])
      k = table[k - 1];
    k += p[k] == p[i];
    table[i] = k;
  }
}

/* Writes what a form of 's' is compared as: as it stands, but that a blank and
** a '+' are the same in a URL, and that deep escapes tell nothing apart. */
static size_t write_form(struct ofox_span s, enum ofox_escaped how, char *to) {
  char out[OFOX_UNESCAPED_MAX];
  size_t n = 0, count, used = 1;
  while (s.n > 0 && used > 0) {
    count = 1;
    used = 1;
    out[0] = how == OFOX_ESCAPED_URL && s.p[0] == '+' ? ' ' : s.p[0];
    if (how == OFOX_ESCAPED_DEEPLY)
      count = ofox_unescape(how, s, out, &used);
    memcpy(to + n, out, count);
    n += count;
    s.p += used;
    s.n -= used;
  }
  return n;
}

/* It has room for it. */
static void add_form(struct ofox_redact *r, struct ofox_span s,
                     enum ofox_escaped how) {
  struct form *f = (struct form *)(void *)(r->_forms.p + r->_forms.n);
  uint32_t *table = (uint32_t *)(void *)(f + 1);
  char *text = (char *)(table + s.n);
  f->how = how;
  f->n = write_form(s, how, text);
  if (f->n < FORM_MIN)
    return;
  memmove(table + f->n, text, f->n);
  fill_table(table, form_text(f), f->n);
  r->_forms.n += form_size(f->n);
}

/* Letters of base64 have no escapes that could be told apart. */
static void add_letters(struct ofox_redact *r, struct ofox_span s) {
  add_form(r, s, OFOX_ESCAPED_NOT);
  add_form(r, s, OFOX_ESCAPED_URL);
  add_form(r, s, OFOX_ESCAPED_DEEPLY);
  add_form(r, s, OFOX_ESCAPED_HTML);
}

static int add_forms(struct ofox_redact *r, struct ofox_span secret,
                     struct ofox_buf *letters) {
  size_t before;
  int how;
  int rc = make_room(&r->_forms, form_size(secret.n) * OFOX_ESCAPES +
                                     form_size(secret.n * 4 / 3 + 2) * 24);
  for (how = 0; rc == 0 && how < OFOX_ESCAPES; how++)
    add_form(r, secret, (enum ofox_escaped)how);
  for (before = 0; rc == 0 && before < 3; before++) {
    letters->n = ofox_base64_within(secret, before, letters->p, letters->cap);
    add_letters(r, ofox_buf_span(letters));
    if (ofox_base64_make_url_safe(letters->p, letters->n))
      add_letters(r, ofox_buf_span(letters));
  }
  return rc;
}

static int make_forms(struct ofox_redact *r) {
  struct ofox_span secret;
  struct ofox_buf letters;
  size_t pos = 0;
  int rc = 0;
  ofox_buf_init(&letters, 0);
  while (rc == 0 && next_text(&r->_secrets, &pos, &secret)) {
    wipe(&letters);
    letters.cap = secret.n * 4 / 3 + 2;
    rc = ofox_buf_reserve(&letters, letters.cap);
    if (rc == 0)
      rc = add_forms(r, secret, &letters);
  }
  wipe(&letters);
  if (rc != 0)
    wipe(&r->_forms);
  return rc;
}

/* The quick test whether a search is needed */

static int make_starts(struct ofox_redact *r) {
  struct ofox_secret_starts *t;
  struct ofox_span secret;
  size_t pos = 0, count = 0;
  int rc;
  while (next_text(&r->_secrets, &pos, &secret))
    count++;
  rc = make_room(&r->_starts, ofox_secret_starts_size(count));
  if (rc != 0)
    return rc;
  r->_starts.n = r->_starts.cap;
  t = (struct ofox_secret_starts *)(void *)r->_starts.p;
  ofox_secret_starts_init(t);
  for (pos = 0; next_text(&r->_secrets, &pos, &secret);)
    ofox_secret_starts_add(t, secret);
  return 0;
}

int ofox_redact_may_hold(struct ofox_redact *r, struct ofox_span text) {
  if (r->_base != NULL)
    r = r->_base;
  if (text.n == 0 || r->_secrets.n == 0)
    return 0;
  if (r->_starts.n == 0 && make_starts(r) != 0)
    return 1;
  return ofox_secret_starts_any(
      (const struct ofox_secret_starts *)(const void *)r->_starts.p, text);
}

/* The search: linear in the text, whatever form and text look like */

struct search {
  struct ofox_span text;
  char *covered; /* 1 for each byte of the text that is a secret's */
  size_t *ring;  /* positions of the last bytes read, a ring */
  size_t read;   /* how many */
  size_t end;    /* of what this form has covered */
};

/* The last 'n' bytes read, up to 'to', are the form's. */
static void cover(struct search *s, size_t form_n, size_t n, size_t to) {
  size_t from = s->ring[(s->read - n) % form_n];
  if (from < s->end)
    from = s->end;
  memset(s->covered + from, 1, to - from);
  s->end = to;
}

/* A byte that stands at 'from', its character ends at 'to'; 'k' of the form
** had been found before it. Returns how many have been then. */
static size_t step(struct search *s, const struct form *f, size_t k, char c,
                   size_t from, size_t to) {
  const uint32_t *table = form_table(f);
  const char *text = form_text(f);
  while (k > 0 && text[k] != c)
    k = table[k - 1];
  s->ring[s->read++ % f->n] = from;
  if (text[k] != c)
    return 0;
  if (++k < f->n)
    return k;
  cover(s, f->n, k, to);
  return table[k - 1];
}

static void find(struct search *s, const struct form *f) {
  char out[OFOX_UNESCAPED_MAX];
  const char *first;
  struct ofox_span rest;
  size_t at = 0, k = 0, used, count, i;
  s->read = s->end = 0;
  while (at < s->text.n) {
    if (k == 0 && f->how == OFOX_ESCAPED_NOT) {
      first = memchr(s->text.p + at, form_text(f)[0], s->text.n - at);
      if (first == NULL)
        return;
      at = (size_t)(first - s->text.p);
    }
    rest.p = s->text.p + at;
    rest.n = s->text.n - at;
    count = ofox_unescape(f->how, rest, out, &used);
    if (used == 0)
      break;
    for (i = 0; i < count; i++)
      k = step(s, f, k, out[i], at, at + used);
    at += used;
  }
  if (k >= OFOX_SECRET_MIN)
    cover(s, f->n, k, s->text.n);
}

/* Each run of covered bytes becomes a mark. */
static void put_marks(struct ofox_buf *text, const char *covered) {
  size_t i, out = 0;
  for (i = 0; i < text->n; i++) {
    if (!covered[i]) {
      text->p[out++] = text->p[i];
    }
    else if (i + 1 == text->n || !covered[i + 1]) {
      memcpy(text->p + out, MARK, MARK_N);
      out += MARK_N;
    }
  }
  text->n = out;
}

/* Room for a search of 'n' bytes: the ring, then what is covered. */
static int reserve(const struct ofox_redact *r, struct ofox_buf *room,
                   size_t n) {
  const struct form *f;
  size_t pos = 0, longest = 0;
  while ((f = next_form(r, &pos)) != NULL)
    longest = f->n > longest ? f->n : longest;
  ofox_buf_init(room, (size_t)-1);
  if (ofox_buf_reserve(room, longest * sizeof(size_t) + n) != 0)
    return OFOX_EMEM;
  memset(room->p, 0, longest * sizeof(size_t) + n);
  room->n = longest * sizeof(size_t);
  return 0;
}

/*
** Finds what is secret: 1, and 'room' ends with a byte for each of the text,
** from 'covered' on, and is to be freed; 0: nothing can be; or OFOX_EMEM.
*/
static int find_all(struct ofox_redact *r, struct ofox_span text,
                    struct ofox_buf *room, char **covered) {
  int applies[OFOX_ESCAPES];
  const struct form *f;
  struct search s;
  size_t pos = 0;
  int how;
  if (r->_base != NULL)
    r = r->_base;
  if (!ofox_redact_may_hold(r, text))
    return 0;
  if ((r->_forms.n == 0 && make_forms(r) != 0) ||
      reserve(r, room, text.n) != 0)
    return OFOX_EMEM;
  s.text = text;
  s.ring = (size_t *)(void *)room->p;
  s.covered = *covered = room->p + room->n;
  for (how = 0; how < OFOX_ESCAPES; how++)
    applies[how] = ofox_unescape_applies((enum ofox_escaped)how, s.text);
  while ((f = next_form(r, &pos)) != NULL) {
    if (applies[f->how])
      find(&s, f);
  }
  return 1;
}

int ofox_redact_apply(struct ofox_redact *r, struct ofox_buf *text) {
  struct ofox_buf room;
  char *covered;
  int rc = find_all(r, ofox_buf_span(text), &room, &covered);
  if (rc < 0) {
    text->n = 0;
    ofox_buf_fill(text, ofox_span_of(MARK));
    return rc;
  }
  if (rc == 0)
    return 0;
  put_marks(text, covered);
  ofox_buf_free(&room);
  return 0;
}

int ofox_redact_cover(struct ofox_redact *r, struct ofox_buf *text) {
  struct ofox_buf room;
  char *covered;
  size_t i;
  int rc = find_all(r, ofox_buf_span(text), &room, &covered);
  if (rc < 0)
    memset(text->p, '*', text->n);
  if (rc <= 0)
    return rc;
  for (i = 0; i < text->n; i++) {
    if (covered[i])
      text->p[i] = '*';
  }
  ofox_buf_free(&room);
  return 0;
}
