#include "base/sorted_names.h"

#include <stdlib.h>
#include <string.h>

#define FEW 8    /* are sorted by insertion */
#define FIRST 16 /* as many at once, of as many bytes each */

void ofox_sorted_names_init(struct ofox_sorted_names *s) {
  ofox_buf_init(&s->list, (size_t)-1);
  ofox_buf_init(&s->bytes, (size_t)-1);
}

void ofox_sorted_names_free(struct ofox_sorted_names *s) {
  ofox_buf_free(&s->list);
  ofox_buf_free(&s->bytes);
}

int ofox_sorted_names_add(struct ofox_sorted_names *s,
                          struct ofox_name *name) {
  int rc = 0;
  if (s->list.p == NULL)
    rc = ofox_buf_reserve(&s->list, FIRST * sizeof(*name));
  if (rc == 0 && s->bytes.p == NULL) /* empty names have an address, too */
    rc = ofox_buf_reserve(&s->bytes, FIRST * FIRST);
  if (rc == 0 && name->from != NULL)
    rc = ofox_buf_add(&s->bytes, name->from, name->n);
  name->n = s->bytes.n - name->at;
  return rc != 0 ? rc : ofox_buf_add(&s->list, name, sizeof(*name));
}

static int compare(const void *a, const void *b) {
  const struct ofox_name *x = a, *y = b;
  int c = memcmp(x->from, y->from, x->n < y->n ? x->n : y->n);
  if (c == 0 && x->n != y->n)
    return x->n < y->n ? -1 : 1;
  return c != 0 ? c : x->kind - y->kind;
}

static void sort_few(struct ofox_name *v, size_t n) {
  struct ofox_name one;
  size_t i, k;
  for (i = 1; i < n; i++) {
    if (compare(&v[i - 1], &v[i]) <= 0)
      continue;
    one = v[i];
    for (k = i; k > 0 && compare(&v[k - 1], &one) > 0; k--)
      v[k] = v[k - 1];
    v[k] = one;
  }
}

void ofox_sorted_names_sort(struct ofox_sorted_names *s, size_t from) {
  const size_t n = (s->list.n - from) / sizeof(struct ofox_name);
  struct ofox_name *v;
  size_t i;
  if (n < 2)
    return;
  v = (struct ofox_name *)(void *)(s->list.p + from);
  for (i = 0; i < n; i++)
    v[i].from = s->bytes.p + v[i].at;
  if (n <= FEW)
    sort_few(v, n);
  else
    qsort(v, n, sizeof(*v), compare);
}
