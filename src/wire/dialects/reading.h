/*
** One event while it is read, in one pass that also validates its grammar, and
** what the dialects have in common. Every piece of every stream goes through
** this, so what each member needs is inline.
** Knows nothing of the members that one dialect has.
*/
#ifndef OFOX_READING_H
#define OFOX_READING_H

#include <string.h>

#include "base/json_scan.h"
#include "wire/dialects/dialect.h"

#define OFOX_KEPT 3

struct ofox_reading {
  struct ofox_json_scan s;
  struct ofox_delta *out;
  const struct ofox_dialect *dialect;
  struct ofox_json type; /* the member of that name */
  int suspect;           /* something in it may say that it is an error */
  int other;             /* it has content besides the text of choice 0 */
  /* the dialect's own, zero at first */
  struct ofox_json kept[OFOX_KEPT];
  size_t count[OFOX_KEPT];
};

/* A name that is spelt in escapes, which is rare. */
int ofox_reading_is_spelt(struct ofox_span name, const char *word);

/* Is a member's name this literal? 'escapes': it has some. */
#define OFOX_READING_IS(name, escapes, word)                                  \
  (((name).n == sizeof(word) - 1 &&                                           \
    memcmp((name).p, word, sizeof(word) - 1) == 0) ||                         \
   ((escapes) && ofox_reading_is_spelt(name, word)))

/* Of an array or an object. */
int ofox_reading_has_child(struct ofox_json v);

/* Is it non-empty? */
static inline int ofox_reading_says(struct ofox_json v) {
  if (v.type == OFOX_JSON_STRING)
    return v.raw.n > 2;
  if (v.type == OFOX_JSON_ARRAY || v.type == OFOX_JSON_OBJECT)
    return ofox_reading_has_child(v);
  return v.type == OFOX_JSON_TRUE || v.type == OFOX_JSON_NUMBER;
}

/* The first of duplicates counts. */
static inline void ofox_reading_note(struct ofox_json *to,
                                     struct ofox_json v) {
  if (to->type == OFOX_JSON_NONE)
    *to = v;
}

/* Where the next event may differ and otherwise be the same. */
static inline void ofox_reading_add_hole(struct ofox_reading *r,
                                         struct ofox_json v) {
  struct ofox_holes *h = &r->out->holes;
  if (h->n < OFOX_HOLES)
    h->at[h->n++] = v;
}

/* The bit of a choice of that index. */
static inline uint64_t ofox_reading_bit(double index) {
  return (uint64_t)1 << (index >= 0 && index < 1e9 ? (uint64_t)index % 64 : 0);
}

/* Does the type begin with these words? */
static inline int ofox_reading_begins(struct ofox_span type, const char *word,
                                      size_t n) {
  return type.n >= n && memcmp(type.p, word, n) == 0;
}

/* The event is an error: 'part' describes it. */
void ofox_reading_fail(struct ofox_delta *out, struct ofox_span part,
                       enum ofox_class fallback);

/* Does JSON, even if not an event, report an error? Then 'out' is one; 'due'
** is what an answer would have, see error_in_success.h. */
int ofox_reading_is_fault(const char *due, struct ofox_span json,
                          struct ofox_delta *out);

#endif
