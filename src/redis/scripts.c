#include "redis/scripts.h"

#include <stdlib.h>
#include <string.h>

#define MOST_KEPT 32 /* that no command needs at the moment */

static int is_text(const struct ofox_redis_script *s, struct ofox_span text) {
  return s->text.n == text.n &&
         (text.n == 0 || memcmp(s->text.p, text.p, text.n) == 0);
}

static void drop(struct ofox_redis_script *s) {
  ofox_buf_free(&s->text);
  free(s);
}

/* Forgets the one that was used first of those that no command needs. */
static void make_room(struct ofox_redis_scripts *all) {
  struct ofox_redis_script **link, **idle = NULL, *s;
  if (all->_count < MOST_KEPT)
    return;
  for (link = &all->_first; *link != NULL; link = &(*link)->_next) {
    if ((*link)->users == 0)
      idle = link;
  }
  if (idle == NULL)
    return;
  s = *idle;
  *idle = s->_next;
  drop(s);
  all->_count--;
}

static struct ofox_redis_script *add(struct ofox_redis_scripts *all,
                                     struct ofox_span text) {
  struct ofox_redis_script *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return NULL;
  ofox_buf_init(&s->text, (size_t)-1);
  if (ofox_buf_addspan(&s->text, text) != 0) {
    free(s);
    return NULL;
  }
  make_room(all);
  ofox_sha1(text, s->sha);
  s->_next = all->_first;
  all->_first = s;
  all->_count++;
  return s;
}

struct ofox_redis_script *
ofox_redis_scripts_use(struct ofox_redis_scripts *all, struct ofox_span text) {
  struct ofox_redis_script *s = all->_first;
  while (s != NULL && !is_text(s, text))
    s = s->_next;
  if (s == NULL)
    s = add(all, text);
  if (s != NULL)
    s->users++;
  return s;
}

void ofox_redis_script_release(struct ofox_redis_script *s) {
  s->users--;
}

void ofox_redis_scripts_unsee(struct ofox_redis_scripts *all) {
  struct ofox_redis_script *s;
  for (s = all->_first; s != NULL; s = s->_next)
    s->shown = 0;
}

void ofox_redis_scripts_free(struct ofox_redis_scripts *all) {
  struct ofox_redis_script *s, *next;
  for (s = all->_first; s != NULL; s = next) {
    next = s->_next;
    drop(s);
  }
  memset(all, 0, sizeof(*all));
}
