/*
** Spans and growable byte buffers: the basis of every other file.
** Knows nothing of encodings, JSON, HTTP or Lua.
*/
#ifndef OFOX_BUF_H
#define OFOX_BUF_H

#include <stddef.h>

/* What functions return when they fail. Success is 0 (or 1 for "produced"). */
enum {
  OFOX_EMEM = -1,   /* out of memory */
  OFOX_ECAP = -2,   /* a buffer would grow beyond its cap */
  OFOX_ESYNTAX = -3 /* input that violates the grammar */
};

/* Text that another object owns; not terminated by NUL. */
struct ofox_span {
  const char *p;
  size_t n;
};

#define OFOX_NOSPAN ((struct ofox_span){NULL, 0})

struct ofox_span ofox_span_of(const char *s);
int ofox_span_eq(struct ofox_span a, const char *s);
/* ASCII letters compare without case. */
int ofox_span_ieq(struct ofox_span a, const char *s);
int ofox_span_ihas_prefix(struct ofox_span a, const char *s);
/* Offset of 's' in 'a' without regard to ASCII case, or (size_t)-1. */
size_t ofox_span_ifind(struct ofox_span a, const char *s);
/* Without blanks, tabs, CR and LF at both ends. */
struct ofox_span ofox_span_trim(struct ofox_span a);

/*
** Bytes that grow up to 'cap'. A failed add leaves the contents as they were.
** Zeroed memory is an empty buffer of cap 0; free is idempotent.
*/
struct ofox_buf {
  char *p;
  size_t n;
  size_t cap;
  size_t _size; /* allocated */
};

void ofox_buf_init(struct ofox_buf *b, size_t cap);
void ofox_buf_free(struct ofox_buf *b);  /* keeps the cap: usable again */
void ofox_buf_clear(struct ofox_buf *b); /* keeps the memory */
int ofox_buf_reserve(struct ofox_buf *b, size_t more);
int ofox_buf_add(struct ofox_buf *b, const void *p, size_t n);
int ofox_buf_adds(struct ofox_buf *b, const char *s);
int ofox_buf_addspan(struct ofox_buf *b, struct ofox_span s);
static inline int ofox_buf_addc(struct ofox_buf *b, char c) {
  if (b->n == b->_size)
    return ofox_buf_add(b, &c, 1);
  b->p[b->n++] = c;
  return 0;
}
/* The decimal digits of 'v'. */
int ofox_buf_addint(struct ofox_buf *b, long v);
/* Adds as much of 's' as the cap leaves room for. */
int ofox_buf_fill(struct ofox_buf *b, struct ofox_span s);
struct ofox_span ofox_buf_span(const struct ofox_buf *b);

/* ASCII only, independent of the locale. */
int ofox_isdigit(int c);
int ofox_isspace(int c); /* blank, tab, CR, LF */
int ofox_tolower(int c);

#endif
