/*
** The names of the objects that are being written, inner ones last: a stack
** of which the newest part can be sorted. For lencode.c alone, hence static.
*/
#ifndef OFOX_NAMES_H
#define OFOX_NAMES_H

#include "buf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct ofox_name {
  const char *from; /* what to copy, NULL: the bytes are there already */
  size_t at, n;     /* its bytes among 'bytes' */
  int kind;         /* the caller's; equal names go by it */
  union {
    int64_t i;
    double d;
  } key; /* the caller's */
};

struct ofox_names {
  struct ofox_buf list;  /* struct ofox_name */
  struct ofox_buf bytes; /* copies: they outlive what they were read from */
};

#define OFOX_NAMES_FEW 8    /* are sorted by insertion */
#define OFOX_NAMES_FIRST 16 /* as many at once, of as many bytes each */

static void ofox_names_init(struct ofox_names *s) {
  ofox_buf_init(&s->list, (size_t)-1);
  ofox_buf_init(&s->bytes, (size_t)-1);
}

static void ofox_names_free(struct ofox_names *s) {
  ofox_buf_free(&s->list);
  ofox_buf_free(&s->bytes);
}

/* Adds 'name', which is copied or made of all bytes from 'name->at' on. */
static int ofox_names_add(struct ofox_names *s, struct ofox_name *name) {
  const size_t first = OFOX_NAMES_FIRST;
  int rc = 0;
  if (s->list.p == NULL)
    rc = ofox_buf_reserve(&s->list, first * sizeof(*name));
  if (rc == 0 && s->bytes.p == NULL) /* empty names have an address, too */
    rc = ofox_buf_reserve(&s->bytes, first * first);
  if (rc == 0 && name->from != NULL)
    rc = ofox_buf_add(&s->bytes, name->from, name->n);
  name->n = s->bytes.n - name->at;
  return rc != 0 ? rc : ofox_buf_add(&s->list, name, sizeof(*name));
}

/* As memcmp has it, and shorter ones first. */
static int ofox_names_compare(const void *a, const void *b) {
  const struct ofox_name *x = a, *y = b;
  int c = memcmp(x->from, y->from, x->n < y->n ? x->n : y->n);
  if (c == 0 && x->n != y->n)
    return x->n < y->n ? -1 : 1;
  return c != 0 ? c : x->kind - y->kind;
}

/* Sorts the names from offset 'from' of the list on. */
static void ofox_names_sort(struct ofox_names *s, size_t from) {
  const size_t n = (s->list.n - from) / sizeof(struct ofox_name);
  struct ofox_name *v, one;
  size_t i, k;
  if (n < 2)
    return;
  v = (struct ofox_name *)(void *)(s->list.p + from);
  for (i = 0; i < n; i++)
    v[i].from = s->bytes.p + v[i].at;
  if (n > OFOX_NAMES_FEW) {
    qsort(v, n, sizeof(*v), ofox_names_compare);
    return;
  }
  for (i = 1; i < n; i++) {
    if (ofox_names_compare(&v[i - 1], &v[i]) <= 0)
      continue;
    one = v[i];
    for (k = i; k > 0 && ofox_names_compare(&v[k - 1], &one) > 0; k--)
      v[k] = v[k - 1];
    v[k] = one;
  }
}

#endif
