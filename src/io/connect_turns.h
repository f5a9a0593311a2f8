/*
** Where connections are opened to. Through a door one at a time is opened, for
** the others who came may find room on it, until it turns out that behind this
** door each carries one request at a time.
** Knows nothing of connections, or of those who wait.
*/
#ifndef OFOX_CONNECT_TURNS_H
#define OFOX_CONNECT_TURNS_H

struct ofox_destination {
  unsigned long key;
  const void *opener; /* which user opens a connection; NULL: none */
  int passed;         /* a user has got through */
  int shares;         /* connections behind it carry several at once */
  unsigned long users;
  struct ofox_destination *next;
};

/* Zeroed: none. */
struct ofox_connect_turns {
  struct ofox_destination *first;
  int moved; /* a user that waits may have a chance now */
};

/* A part more of a door's key, which begins with 0; NULL is a part, too. */
unsigned long ofox_connect_turns_key(unsigned long key, const char *part);

/* A user more of the door with that key; NULL without memory. */
struct ofox_destination *ofox_connect_turns_enter(struct ofox_connect_turns *d,
                                                  unsigned long key);
/* A user less; a door that is NULL is ignored. */
void ofox_connect_turns_leave(struct ofox_connect_turns *d,
                              struct ofox_destination *door, const void *user);

/* The user's attempt has failed. If it was to open a connection, that tells
** nothing of others: they do not wait for each other. */
void ofox_connect_turns_fail(struct ofox_destination *door, const void *user);

/* May the user open a connection? 1, and it does; 0: others do. */
int ofox_connect_turns_open(struct ofox_destination *door, const void *user);
/* The user is through; 'shares': on a connection that carries several. */
void ofox_connect_turns_pass(struct ofox_connect_turns *d,
                             struct ofox_destination *door, const void *user,
                             int shares);

#endif
