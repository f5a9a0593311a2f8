/*
** Answers side by side in one event, of which the text of the first is that of
** the stream: the choices and the candidates of dialects that have them.
** Knows nothing of the members that one dialect has.
*/
#ifndef OFOX_CHOICE_H
#define OFOX_CHOICE_H

#include "wire/dialects/walk.h"

/* What a dialect with choices has in ofox_reading: as kept, all of them; as
** counts, how many, and the texts of choice 0. */
enum { OFOX_CHOICE_ALL };
enum { OFOX_CHOICE_COUNT, OFOX_CHOICE_TEXTS };

struct ofox_choice {
  struct ofox_json text; /* the first that is a string */
  int texts;             /* more than one, too, if it is no string */
  int says;              /* it says something besides a role */
  int other;             /* and besides one text */
  int finished;
  int mark; /* the dialect's own */
  double index;
};

/* Reads the choice that comes next; 'member' gets an ofox_choice. */
static inline int ofox_choice_read(struct ofox_reading *r,
                                   ofox_walk_member *member) {
  struct ofox_delta *out = r->out;
  struct ofox_choice c;
  uint64_t bit;
  int rc;
  memset(&c, 0, sizeof(c));
  c.index = (double)r->count[OFOX_CHOICE_COUNT]++;
  rc = ofox_walk_object(r, member, &c);
  if (rc != 1)
    return rc;
  bit = ofox_reading_bit(c.index);
  out->begun |= bit;
  out->finished |= c.finished ? bit : 0;
  out->content |= c.says || c.finished;
  r->other |= c.other || c.index != 0 || r->count[OFOX_CHOICE_COUNT] > 1;
  if (c.index == 0) {
    r->count[OFOX_CHOICE_TEXTS] += (size_t)c.texts;
    if (out->text.type == OFOX_JSON_NONE && c.texts == 1) {
      out->text = c.text;
      ofox_reading_add_hole(r, c.text);
    }
  }
  return 1;
}

/* Reads the list of them that comes next, each by 'choice'. */
static inline int ofox_choice_read_all(struct ofox_reading *r,
                                       int (*choice)(struct ofox_reading *r,
                                                     void *to)) {
  struct ofox_json *all = &r->kept[OFOX_CHOICE_ALL];
  int rc;
  all->type = OFOX_JSON_ARRAY;
  all->raw.p = r->s.p;
  rc = ofox_walk_array(r, choice, NULL);
  all->raw.n = (size_t)(r->s.p - all->raw.p);
  return rc;
}

/* There are none in the event. */
static inline int ofox_choice_is_none(const struct ofox_reading *r) {
  return r->kept[OFOX_CHOICE_ALL].type == OFOX_JSON_NONE;
}

/* Of an event whose members have all been read: where its text is, if that is
** in several places. 1: it has one text. */
static inline int ofox_choice_judge(struct ofox_reading *r) {
  if (r->count[OFOX_CHOICE_TEXTS] > 1)
    r->out->text = r->kept[OFOX_CHOICE_ALL];
  return r->count[OFOX_CHOICE_TEXTS] == 1;
}

#endif
