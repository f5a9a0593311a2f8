#include "redis/command.h"

#include <stdlib.h>

#include "redis/protocol.h"

const char *ofox_redis_outcome_name(enum ofox_redis_outcome o) {
  static const char *const NAMES[] = {
      [OFOX_REDIS_PENDING] = "pending", [OFOX_REDIS_REPLY] = "reply",
      [OFOX_REDIS_TIMEOUT] = "timeout", [OFOX_REDIS_LOST] = "lost",
      [OFOX_REDIS_DOWN] = "down",       [OFOX_REDIS_REFUSED] = "refused",
      [OFOX_REDIS_FULL] = "full",       [OFOX_REDIS_CLOSED] = "closed",
      [OFOX_REDIS_FORKED] = "forked",   [OFOX_REDIS_NO_MEMORY] = "memory",
  };
  return NAMES[o];
}

/* Lists */

void ofox_redis_commands_init(struct ofox_redis_commands *list) {
  list->first = NULL;
  list->end = &list->first;
}

void ofox_redis_commands_add(struct ofox_redis_commands *list,
                             struct ofox_redis_command *c) {
  c->_next = NULL;
  c->_link = list->end;
  *c->_link = c;
  list->end = &c->_next;
}

void ofox_redis_commands_remove(struct ofox_redis_commands *list,
                                struct ofox_redis_command *c) {
  *c->_link = c->_next;
  if (c->_next != NULL)
    c->_next->_link = c->_link;
  else
    list->end = c->_link;
  c->_next = NULL;
  c->_link = NULL;
}

/* Life */

struct ofox_redis_command *
ofox_redis_command_new(struct ofox_redis_scripts *scripts,
                       struct ofox_span script, struct ofox_span rest,
                       size_t count) {
  struct ofox_redis_command *c = calloc(1, sizeof(*c));
  if (c == NULL)
    return NULL;
  ofox_buf_init(&c->rest, (size_t)-1);
  ofox_buf_init(&c->reply, (size_t)-1);
  c->count = count;
  if (ofox_buf_addspan(&c->rest, rest) == 0)
    c->script = ofox_redis_scripts_use(scripts, script);
  if (c->script != NULL)
    return c;
  ofox_buf_free(&c->rest);
  free(c);
  return NULL;
}

void ofox_redis_command_release(struct ofox_redis_command *c) {
  if (c->is_sent || !c->is_taken)
    return;
  ofox_redis_script_release(c->script);
  ofox_buf_free(&c->rest);
  ofox_buf_free(&c->reply);
  free(c);
}

int ofox_redis_command_write(const struct ofox_redis_command *c, int with_text,
                             struct ofox_buf *out) {
  const struct ofox_redis_script *s = c->script;
  int rc = ofox_redis_put_count(out, 3 + c->count);
  if (rc == 0)
    rc = ofox_redis_put(out, ofox_span_of(with_text ? "EVAL" : "EVALSHA"));
  if (rc == 0)
    rc = ofox_redis_put(out, with_text ? ofox_buf_span(&s->text)
                                       : ofox_span_of(s->sha));
  if (rc == 0)
    rc = ofox_buf_addspan(out, ofox_buf_span(&c->rest));
  return rc == 0 ? 0 : OFOX_EMEM;
}
