/*
** The names of the objects being encoded, inner ones last: a stack whose
** newest part can be sorted.
** Knows nothing of Lua, or of the values of the names.
*/
#ifndef OFOX_SORTED_NAMES_H
#define OFOX_SORTED_NAMES_H

#include <stdint.h>

#include "base/buf.h"

struct ofox_name {
  const char *from; /* what to copy, NULL: the bytes are there already */
  size_t at, n;     /* its bytes among 'bytes' */
  int kind;         /* the caller's; equal names go by it */
  union {
    int64_t i;
    double d;
  } key; /* the caller's */
};

struct ofox_sorted_names {
  struct ofox_buf list;  /* struct ofox_name */
  struct ofox_buf bytes; /* copies: they outlive what they were read from */
};

void ofox_sorted_names_init(struct ofox_sorted_names *s);
void ofox_sorted_names_free(struct ofox_sorted_names *s);

/* Adds 'name', which is copied or made of all bytes from 'name->at' on.
** 0, or OFOX_EMEM. */
int ofox_sorted_names_add(struct ofox_sorted_names *s, struct ofox_name *name);

/* Sorts the names from offset 'from' of the list on: as memcmp has it, and
** shorter ones first. */
void ofox_sorted_names_sort(struct ofox_sorted_names *s, size_t from);

#endif
