#include "redis/greeting.h"

#include <stdio.h>
#include <string.h>

#include "redis/protocol.h"

#define LONGEST_CODE 16 /* bytes */

static int is_refusal(struct ofox_redis_greeting *g, const redisReply *r) {
  if (r == NULL)
    return 0;
  g->left--;
  if (r->type != REDIS_REPLY_ERROR || g->refused)
    return 0;
  g->refused = 1;
  return 1;
}

/* How much of the answer is a code: only that is shown, for the rest may
** repeat what was sent. */
static int code_size(const redisReply *r) {
  size_t n = strspn(r->str, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  return n <= LONGEST_CODE && (r->str[n] == ' ' || r->str[n] == '\0') ? (int)n
                                                                      : 0;
}

static void on_auth(struct ofox_redis_asked *a, const redisReply *r) {
  struct ofox_redis_greeting *g =
      ((struct ofox_redis_question *)(void *)a)->of;
  if (is_refusal(g, r))
    snprintf(g->why, sizeof(g->why),
             "the server does not accept user and password (%.*s)",
             code_size(r), r->str);
}

static void on_select(struct ofox_redis_asked *a, const redisReply *r) {
  struct ofox_redis_greeting *g =
      ((struct ofox_redis_question *)(void *)a)->of;
  if (is_refusal(g, r))
    snprintf(g->why, sizeof(g->why), "the server does not select %ld (%.*s)",
             g->_database, code_size(r), r->str);
}

/* An empty 'first' is left out. */
static int ask(struct ofox_redis_question *q, struct ofox_redis_link *l,
               const char *name, struct ofox_span first,
               struct ofox_span second) {
  struct ofox_buf out;
  int rc;
  ofox_buf_init(&out, (size_t)-1);
  rc = ofox_redis_put_count(&out, first.n > 0 ? 3 : 2);
  if (rc == 0)
    rc = ofox_redis_put(&out, ofox_span_of(name));
  if (rc == 0 && first.n > 0)
    rc = ofox_redis_put(&out, first);
  if (rc == 0)
    rc = ofox_redis_put(&out, second);
  if (rc == 0)
    rc = ofox_redis_link_send(l, ofox_buf_span(&out), &q->asked);
  ofox_buf_free(&out);
  if (rc == 0)
    q->of->left++;
  return rc;
}

int ofox_redis_greeting_send(struct ofox_redis_greeting *g,
                             struct ofox_redis_link *l,
                             const struct ofox_redis_url *url) {
  char digits[24];
  int rc = 0;
  memset(g, 0, sizeof(*g));
  g->_auth.asked.answered = on_auth;
  g->_select.asked.answered = on_select;
  g->_auth.of = g->_select.of = g;
  g->_database = url->database;
  if (url->has_password)
    rc = ask(&g->_auth, l, "AUTH", ofox_buf_span(&url->user),
             ofox_buf_span(&url->password));
  snprintf(digits, sizeof(digits), "%ld", url->database);
  if (rc == 0 && url->database > 0)
    rc = ask(&g->_select, l, "SELECT", OFOX_NOSPAN, ofox_span_of(digits));
  return rc;
}
