#include "call/ready_list.h"

#include <stddef.h>

void ofox_ready_list_init(struct ofox_ready_list *n) {
  n->_first = NULL;
  n->_end = &n->_first;
}

int ofox_ready_list_any(const struct ofox_ready_list *n) {
  return n->_first != NULL;
}

void ofox_note_drop(struct ofox_note *m) {
  if (m->_link == NULL)
    return;
  *m->_link = m->_next;
  if (m->_next != NULL)
    m->_next->_link = m->_link;
  else
    m->list->_end = m->_link;
  m->_next = NULL;
  m->_link = NULL;
}

struct ofox_note *ofox_ready_list_take(struct ofox_ready_list *n) {
  struct ofox_note *m = n->_first;
  if (m != NULL) {
    ofox_note_drop(m);
    m->told = 0;
  }
  return m;
}

void ofox_ready_list_clear(struct ofox_ready_list *n) {
  struct ofox_note *m;
  while ((m = ofox_ready_list_take(n)) != NULL)
    m->list = NULL;
}

void ofox_note_leave(struct ofox_note *m) {
  if (m->_link == NULL)
    m->list = NULL;
}

void ofox_note_watch(struct ofox_note *m) {
  m->watched = 1;
}

void ofox_note_tell(struct ofox_note *m) {
  if (!m->watched)
    return;
  m->watched = 0;
  m->told = 1;
  if (m->list == NULL || m->_link != NULL)
    return;
  m->_link = m->list->_end;
  *m->_link = m;
  m->list->_end = &m->_next;
}
