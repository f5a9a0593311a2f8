/*
** Destinations of connections. One connection at a time is opened to a
** destination, for other users may share it, until it turns out that each
** connection there carries one request at a time.
** Knows nothing of connections, or of those who wait.
*/
#ifndef OFOX_CONNECT_TURNS_H
#define OFOX_CONNECT_TURNS_H

struct ofox_destination {
  unsigned long key;
  const void *opener; /* which user opens a connection; NULL: none */
  int passed;         /* a user has connected */
  int shares;         /* its connections carry several requests concurrently */
  unsigned long users;
  struct ofox_destination *next;
};

/* Zeroed: none. */
struct ofox_connect_turns {
  struct ofox_destination *first;
  int moved; /* a waiting user may be able to connect now */
};

/* Adds a part to a destination's key, initially 0; NULL is a part, too. */
unsigned long ofox_connect_turns_key(unsigned long key, const char *part);

/* Adds a user of the destination with that key; NULL without memory. */
struct ofox_destination *ofox_connect_turns_enter(struct ofox_connect_turns *d,
                                                  unsigned long key);
/* Removes a user; a destination that is NULL is ignored. */
void ofox_connect_turns_leave(struct ofox_connect_turns *d,
                              struct ofox_destination *door, const void *user);

/* The user's attempt has failed. If it was opening a connection, that says
** nothing about others: they do not wait for each other. */
void ofox_connect_turns_fail(struct ofox_destination *door, const void *user);

/* May the user open a connection? 1, and it does; 0: another one does. */
int ofox_connect_turns_open(struct ofox_destination *door, const void *user);
/* The user is connected; 'shares': its connection carries several. */
void ofox_connect_turns_pass(struct ofox_connect_turns *d,
                             struct ofox_destination *door, const void *user,
                             int shares);

#endif
