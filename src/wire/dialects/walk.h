/*
** How the file of a dialect walks through an event that is being read. Inline:
** a call for each member would cost more than to read it.
** Knows nothing of the members that one dialect has.
*/
#ifndef OFOX_WALK_H
#define OFOX_WALK_H

#include "wire/dialects/reading.h"

/* Reads the value of a member of that name: 1, 0 or OFOX_ESYNTAX. */
typedef int ofox_walk_member(struct ofox_reading *r, struct ofox_span name,
                             int escapes, void *to);

/* Reads the members of the object that comes next. */
static inline int ofox_walk_object(struct ofox_reading *r,
                                   ofox_walk_member *member, void *to) {
  struct ofox_span name;
  int rc = ofox_json_scan_enter(&r->s), first = 1;
  while (rc == 1) {
    rc = ofox_json_scan_member(&r->s, first, &name);
    first = 0;
    if (rc == 1)
      rc = member(r, name, r->s.escapes, to);
  }
  return rc == OFOX_JSON_SCAN_CLOSED ? 1 : rc;
}

/* Reads the elements of the array that comes next: objects by 'object', all
** others are skipped. */
static inline int
ofox_walk_array(struct ofox_reading *r,
                int (*object)(struct ofox_reading *r, void *to), void *to) {
  struct ofox_span name;
  struct ofox_json v;
  int rc = ofox_json_scan_enter(&r->s), first = 1;
  while (rc == 1) {
    rc = ofox_json_scan_member(&r->s, first, &name);
    first = 0;
    if (rc == 1)
      rc = ofox_json_scan_peek(&r->s) == '{' ? object(r, to)
                                             : ofox_json_scan_value(&r->s, &v);
  }
  return rc == OFOX_JSON_SCAN_CLOSED ? 1 : rc;
}

/* A complete member of the event itself. 1: any dialect has it, and it is
** noted. 0: the dialect must look at it. */
static inline int ofox_walk_common(struct ofox_reading *r,
                                   struct ofox_span name, int escapes,
                                   struct ofox_json v) {
  if (OFOX_READING_IS(name, escapes, "type")) {
    ofox_reading_note(&r->type, v);
    return 1;
  }
  if ((OFOX_READING_IS(name, escapes, "obfuscation") &&
       v.type == OFOX_JSON_STRING) ||
      (OFOX_READING_IS(name, escapes, "sequence_number") &&
       v.type == OFOX_JSON_NUMBER)) {
    ofox_reading_add_hole(r, v);
    return 1;
  }
  if (OFOX_READING_IS(name, escapes, "usage")) {
    r->other |= v.type != OFOX_JSON_NULL;
    ofox_reading_note(&r->out->usage, v);
  }
  return 0;
}

#endif
