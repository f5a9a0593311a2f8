/*
** Who has something new: calls that a task waits for leave a note when
** their state changes or events have come, and are taken in that order.
** Knows nothing of what is new, or of who waits.
*/
#ifndef OFOX_READY_LIST_H
#define OFOX_READY_LIST_H

struct ofox_note {
  struct ofox_ready_list *list; /* where notes are gathered; NULL: nowhere */
  int watched;                  /* a task waits */
  int told;                     /* something new came since */
  struct ofox_note *_next, **_link; /* '*_link' is this; NULL: in no list */
};

struct ofox_ready_list {
  struct ofox_note *_first, **_end;
};

void ofox_ready_list_init(struct ofox_ready_list *n);
/* The notes in it are in no list from then on. */
void ofox_ready_list_clear(struct ofox_ready_list *n);
int ofox_ready_list_any(const struct ofox_ready_list *n);
/* The first note, which is in no list any more; NULL if there is none. */
struct ofox_note *ofox_ready_list_take(struct ofox_ready_list *n);

/* Wants to be told, once, from now on. */
void ofox_note_watch(struct ofox_note *m);
/* Something is new. Free unless a task waits. */
void ofox_note_tell(struct ofox_note *m);
/* Takes the note back; zeroed or twice: fine. */
void ofox_note_drop(struct ofox_note *m);
/* Has no further notes for its list, which may go once this one is taken. */
void ofox_note_leave(struct ofox_note *m);

#endif
