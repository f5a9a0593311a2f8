/*
** The scripts that a connection has run, with the names that Redis gives them,
** and when the server was last shown the text of each.
** Knows nothing of connections.
*/
#ifndef OFOX_REDIS_SCRIPTS_H
#define OFOX_REDIS_SCRIPTS_H

#include "base/buf.h"
#include "redis/sha1.h"

struct ofox_redis_script {
  char sha[OFOX_SHA1_DIGITS + 1];
  unsigned long shown; /* number of the command that had its text; 0: none on
                          this connection */
  size_t users;        /* commands that need it */
  struct ofox_buf text;
  struct ofox_redis_script *_next;
};

struct ofox_redis_scripts {
  struct ofox_redis_script *_first;
  size_t _count;
};

/* The script with that text, which has a user more; NULL: no memory. Zeroed
** 'all' is empty. */
struct ofox_redis_script *
ofox_redis_scripts_use(struct ofox_redis_scripts *all, struct ofox_span text);
void ofox_redis_script_release(struct ofox_redis_script *s);
/* The server has seen no text: it is another connection. */
void ofox_redis_scripts_unsee(struct ofox_redis_scripts *all);
void ofox_redis_scripts_free(struct ofox_redis_scripts *all);

#endif
