#include "wire/secret_starts.h"

#include <string.h>

#include "base/base64.h"
#include "base/unescape.h"

/*
** All that a search covers begins with the first bytes of a secret or of its
** base64, however these are escaped. They are found as by Wu and Manber: the
** last two bytes of a window tell how far the next one is.
*/
#define START OFOX_SECRET_MIN
#define BEFORE (START - 1) /* bytes that may belong to what is behind them */
#define STARTS_MAX 11      /* of one secret */
#define PAIRS 256
#define ROOM 256 /* for text as it was before it was escaped */

struct ofox_secret_starts {
  int unsure; /* a secret has backslashes, which text may have lost */
  size_t n;
  unsigned char skip[PAIRS]; /* how far; 0: look here */
  char text[][START];
};

size_t ofox_secret_starts_size(size_t secrets) {
  return sizeof(struct ofox_secret_starts) + secrets * STARTS_MAX * START;
}

void ofox_secret_starts_init(struct ofox_secret_starts *t) {
  t->unsure = 0;
  t->n = 0;
  memset(t->skip, BEFORE, sizeof(t->skip));
}

static size_t pair(const char *p) {
  return ((unsigned char)p[0] * 37U + (unsigned char)p[1]) % PAIRS;
}

/* The bytes behind the last start become one. */
static void take_start(struct ofox_secret_starts *t) {
  const char *p = t->text[t->n++];
  size_t i, at;
  for (i = 0; i + 2 <= START; i++) {
    at = pair(p + i);
    if (t->skip[at] > START - 2 - i)
      t->skip[at] = (unsigned char)(START - 2 - i);
  }
}

/* The same, and as it is read in a URL if that differs. */
static void take_starts(struct ofox_secret_starts *t) {
  const char *p = t->text[t->n];
  char *in_url = t->text[t->n + 1];
  size_t i;
  take_start(t);
  if (memchr(p, '+', START) == NULL)
    return;
  for (i = 0; i < START; i++)
    in_url[i] = p[i] == '+' ? ' ' : p[i];
  take_start(t);
}

void ofox_secret_starts_add(struct ofox_secret_starts *t,
                            struct ofox_span secret) {
  size_t before, last;
  t->unsure |= memchr(secret.p, '\\', secret.n) != NULL;
  memcpy(t->text[t->n], secret.p, START);
  take_starts(t);
  for (before = 0; before < 3; before++) {
    last = t->n;
    ofox_base64_within(secret, before, t->text[last], START);
    take_starts(t);
    memcpy(t->text[t->n], t->text[last], START);
    if (ofox_base64_make_url_safe(t->text[t->n], START))
      take_start(t);
  }
}

static int is_start(const struct ofox_secret_starts *t, const char *p) {
  size_t i;
  for (i = 0; i < t->n; i++) {
    if (memcmp(t->text[i], p, START) == 0)
      return 1;
  }
  return 0;
}

static int has_start(const struct ofox_secret_starts *t, struct ofox_span s) {
  size_t at = 0, skip;
  while (at + START <= s.n) {
    skip = t->skip[pair(s.p + at + START - 2)];
    if (skip == 0 && is_start(t, s.p + at))
      return 1;
    at += skip == 0 ? 1 : skip;
  }
  return 0;
}

static struct ofox_span behind(struct ofox_span s, size_t n) {
  s.p += n;
  s.n -= n;
  return s;
}

/* Is there a start in what 's' was before it was escaped so? That there is
** none in 's' as it stands is known. */
static int has_escaped_start(const struct ofox_secret_starts *t,
                             enum ofox_escaped how, struct ofox_span s) {
  char out[ROOM + 2 * BEFORE + OFOX_UNESCAPED_MAX];
  struct ofox_span read = {out, 0};
  size_t plain, used = 1;
  if (!ofox_unescape_applies(how, s))
    return 0;
  while (s.n > 0 && used > 0) {
    plain = ofox_unescape_plain(how, s);
    if (plain > 2 * BEFORE) { /* its ends belong to what is escaped there */
      memcpy(out + read.n, s.p, BEFORE);
      read.n += BEFORE;
      if (has_start(t, read))
        return 1;
      read.n = 0;
      s = behind(s, plain - BEFORE);
      plain = BEFORE;
    }
    memcpy(out + read.n, s.p, plain);
    read.n += plain;
    s = behind(s, plain);
    if (s.n > 0)
      read.n += ofox_unescape(how, s, out + read.n, &used);
    s = behind(s, s.n > 0 ? used : 0);
    if (read.n > ROOM) {
      if (has_start(t, read))
        return 1;
      memmove(out, out + read.n - BEFORE, BEFORE);
      read.n = BEFORE;
    }
  }
  return has_start(t, read);
}

int ofox_secret_starts_any(const struct ofox_secret_starts *t,
                           struct ofox_span text) {
  int how;
  if (has_start(t, text) ||
      (t->unsure && memchr(text.p, '\\', text.n) != NULL))
    return 1;
  for (how = OFOX_ESCAPED_NOT + 1; how < OFOX_ESCAPES; how++) {
    if (has_escaped_start(t, (enum ofox_escaped)how, text))
      return 1;
  }
  return 0;
}
