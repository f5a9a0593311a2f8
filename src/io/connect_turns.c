#include "io/connect_turns.h"

#include <stdlib.h>

/* FNV-1a; the terminator of a part occurs in none. */
unsigned long ofox_connect_turns_key(unsigned long key, const char *part) {
  unsigned long h = key == 0 ? 2166136261UL : key;
  for (; part != NULL && *part != '\0'; part++)
    h = ((h ^ (unsigned char)*part) * 16777619UL) & 0xFFFFFFFFUL;
  return ((h ^ (part == NULL ? 1 : 0)) * 16777619UL) & 0xFFFFFFFFUL;
}

struct ofox_destination *ofox_connect_turns_enter(struct ofox_connect_turns *d,
                                                  unsigned long key) {
  struct ofox_destination *door = d->first;
  while (door != NULL && door->key != key)
    door = door->next;
  if (door == NULL) {
    door = calloc(1, sizeof(*door));
    if (door == NULL)
      return NULL;
    door->key = key;
    door->next = d->first;
    d->first = door;
  }
  door->users++;
  return door;
}

/* It no longer opens a connection. */
static void let_go(struct ofox_connect_turns *d, struct ofox_destination *door,
                   const void *user) {
  if (door->opener == user)
    door->opener = NULL;
  if (door->opener == NULL)
    d->moved = 1;
}

void ofox_connect_turns_leave(struct ofox_connect_turns *d,
                              struct ofox_destination *door,
                              const void *user) {
  struct ofox_destination **link = &d->first;
  if (door == NULL)
    return;
  let_go(d, door, user);
  if (--door->users > 0)
    return;
  while (*link != door)
    link = &(*link)->next;
  *link = door->next;
  free(door);
}

void ofox_connect_turns_fail(struct ofox_destination *door, const void *user) {
  if (door == NULL || door->opener != user)
    return;
  door->passed = 1;
  door->shares = 0;
}

int ofox_connect_turns_open(struct ofox_destination *door, const void *user) {
  if (door == NULL)
    return 1;
  if (door->opener != NULL && door->opener != user &&
      (door->shares || !door->passed))
    return 0;
  door->opener = user;
  return 1;
}

void ofox_connect_turns_pass(struct ofox_connect_turns *d,
                             struct ofox_destination *door, const void *user,
                             int shares) {
  if (door == NULL)
    return;
  door->passed = 1;
  door->shares |= shares;
  let_go(d, door, user);
}
