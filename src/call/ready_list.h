/*
** Which calls have news: a call that a task waits for adds a note when its
** state changes or events arrive, and notes are taken in that order.
** Knows nothing of what the news is, or of who waits.
*/
#ifndef OFOX_READY_LIST_H
#define OFOX_READY_LIST_H

struct ofox_note {
  struct ofox_ready_list *list; /* where notes are collected; NULL: nowhere */
  int watched;                  /* a task waits */
  int told;                     /* there has been news since */
  struct ofox_note *_next, **_link; /* '*_link' is this; NULL: in no list */
};

struct ofox_ready_list {
  struct ofox_note *_first, **_end;
};

void ofox_ready_list_init(struct ofox_ready_list *n);
/* Removes all notes from the list. */
void ofox_ready_list_clear(struct ofox_ready_list *n);
int ofox_ready_list_any(const struct ofox_ready_list *n);
/* Removes and returns the first note; NULL if there is none. */
struct ofox_note *ofox_ready_list_take(struct ofox_ready_list *n);

/* Requests one notification, from now on. */
void ofox_note_watch(struct ofox_note *m);
/* There is news. Costs nothing unless a task waits. */
void ofox_note_tell(struct ofox_note *m);
/* Withdraws the note; zeroed is fine; idempotent. */
void ofox_note_drop(struct ofox_note *m);
/* Adds no more notes to its list, which may be freed once this one is taken.
 */
void ofox_note_leave(struct ofox_note *m);

#endif
