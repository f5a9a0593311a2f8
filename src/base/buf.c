#include "base/buf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 64

int ofox_isdigit(int c) {
  return c >= '0' && c <= '9';
}

int ofox_isspace(int c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int ofox_tolower(int c) {
  return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

struct ofox_span ofox_span_of(const char *s) {
  struct ofox_span r;
  r.p = s;
  r.n = s == NULL ? 0 : strlen(s);
  return r;
}

int ofox_span_eq(struct ofox_span a, const char *s) {
  size_t n = strlen(s);
  return a.n == n && (n == 0 || memcmp(a.p, s, n) == 0);
}

static int same_letters(const char *a, const char *b, size_t n) {
  size_t i;
  for (i = 0; i < n; i++) {
    if (ofox_tolower((unsigned char)a[i]) != ofox_tolower((unsigned char)b[i]))
      return 0;
  }
  return 1;
}

int ofox_span_ihas_prefix(struct ofox_span a, const char *s) {
  size_t n = strlen(s);
  return a.n >= n && same_letters(a.p, s, n);
}

int ofox_span_ieq(struct ofox_span a, const char *s) {
  return a.n == strlen(s) && ofox_span_ihas_prefix(a, s);
}

size_t ofox_span_ifind(struct ofox_span a, const char *s) {
  const int first = ofox_tolower((unsigned char)*s);
  const int other = first >= 'a' && first <= 'z' ? first - 32 : first;
  size_t i, n = strlen(s);
  for (i = 0; i + n <= a.n; i++) {
    if (((unsigned char)a.p[i] == first || (unsigned char)a.p[i] == other) &&
        same_letters(a.p + i, s, n))
      return i;
  }
  return (size_t)-1;
}

struct ofox_span ofox_span_trim(struct ofox_span a) {
  while (a.n > 0 && ofox_isspace((unsigned char)a.p[0])) {
    a.p++;
    a.n--;
  }
  while (a.n > 0 && ofox_isspace((unsigned char)a.p[a.n - 1]))
    a.n--;
  return a;
}

void ofox_buf_init(struct ofox_buf *b, size_t cap) {
  b->p = NULL;
  b->n = 0;
  b->cap = cap;
  b->_size = 0;
}

void ofox_buf_free(struct ofox_buf *b) {
  free(b->p);
  ofox_buf_init(b, b->cap);
}

void ofox_buf_clear(struct ofox_buf *b) {
  b->n = 0;
}

int ofox_buf_reserve(struct ofox_buf *b, size_t more) {
  size_t need, size;
  char *p;
  if (more > b->cap - b->n)
    return OFOX_ECAP;
  need = b->n + more;
  if (need <= b->_size)
    return 0;
  size = b->_size < FIRST_SIZE ? FIRST_SIZE : b->_size;
  while (size < need)
    size = size > SIZE_MAX / 2 ? need : size * 2;
  if (size > b->cap)
    size = b->cap;
  p = realloc(b->p, size);
  if (p == NULL)
    return OFOX_EMEM;
  b->p = p;
  b->_size = size;
  return 0;
}

int ofox_buf_add(struct ofox_buf *b, const void *p, size_t n) {
  int rc;
  if (n == 0)
    return 0;
  rc = n <= b->_size - b->n ? 0 : ofox_buf_reserve(b, n);
  if (rc != 0)
    return rc;
  memcpy(b->p + b->n, p, n);
  b->n += n;
  return 0;
}

int ofox_buf_adds(struct ofox_buf *b, const char *s) {
  return ofox_buf_add(b, s, strlen(s));
}

int ofox_buf_addspan(struct ofox_buf *b, struct ofox_span s) {
  return ofox_buf_add(b, s.p, s.n);
}

int ofox_buf_addint(struct ofox_buf *b, long v) {
  char digits[24];
  size_t i = sizeof(digits);
  unsigned long u = v < 0 ? 0UL - (unsigned long)v : (unsigned long)v;
  do {
    digits[--i] = (char)('0' + (int)(u % 10));
    u /= 10;
  } while (u > 0);
  if (v < 0)
    digits[--i] = '-';
  return ofox_buf_add(b, digits + i, sizeof(digits) - i);
}

int ofox_buf_fill(struct ofox_buf *b, struct ofox_span s) {
  size_t room = b->cap - b->n;
  return ofox_buf_add(b, s.p, s.n < room ? s.n : room);
}

struct ofox_span ofox_buf_span(const struct ofox_buf *b) {
  struct ofox_span s;
  s.p = b->p == NULL ? "" : b->p;
  s.n = b->n;
  return s;
}
