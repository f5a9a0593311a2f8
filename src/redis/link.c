#include "redis/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <hiredis/async.h>

#define LARGEST 1000 /* members of an array; scripts of ours have few */

static void explain(struct ofox_redis_link *l, const char *text) {
  if (l->why[0] == '\0')
    snprintf(l->why, sizeof(l->why), "%s", text);
}

/* Interest */

/* The poller keeps an error until the next serve, which ends the link. */
static void want(struct ofox_redis_link *l, int wants) {
  if (wants == l->_wants || l->_ac == NULL)
    return;
  l->_wants = wants;
  if (ofox_guest_watch(l->guest, l->_ac->c.fd, wants) == 0)
    return;
  explain(l, strerror(errno));
  l->_failed = 1;
}

static void add_read(void *link) {
  struct ofox_redis_link *l = link;
  want(l, l->_wants | OFOX_POLL_IN);
}

static void del_read(void *link) {
  struct ofox_redis_link *l = link;
  want(l, l->_wants & ~OFOX_POLL_IN);
}

static void add_write(void *link) {
  struct ofox_redis_link *l = link;
  want(l, l->_wants | OFOX_POLL_OUT);
}

static void del_write(void *link) {
  struct ofox_redis_link *l = link;
  want(l, l->_wants & ~OFOX_POLL_OUT);
}

/* The context is about to close its descriptor and to be freed. */
static void clean_up(void *link) {
  struct ofox_redis_link *l = link;
  const char *about_tls = ofox_redis_tls_problem(l->tls);
  ofox_guest_watch(l->guest, -1, 0);
  if (about_tls != NULL) { /* hiredis knows less */
    l->why[0] = '\0';
    explain(l, about_tls);
  }
  explain(l, l->_ac->c.err != 0 ? l->_ac->c.errstr : "the connection is lost");
  l->_ac = NULL;
  l->_wants = 0;
  l->is_up = 0;
}

/* Replies that nothing has asked for: hiredis would abort the process. Each
** begins with a value that has no parent; without that, it is out of memory
** as far as hiredis knows, and ends the connection. */

static const redisReplyObjectFunctions *theirs(const redisReadTask *task) {
  const struct ofox_redis_link *l = task->privdata;
  return l->_theirs;
}

static int is_unasked(const redisReadTask *task) {
  struct ofox_redis_link *l = task->privdata;
  if (task->parent != NULL)
    return 0;
  if (l->unanswered > 0) {
    l->unanswered--;
    return 0;
  }
  if (task->type == REDIS_REPLY_ERROR) /* its last words */
    return 0;
  explain(l, "the server has answered more than it was asked");
  return 1;
}

static void *create_text(const redisReadTask *task, char *text, size_t n) {
  return is_unasked(task) ? NULL : theirs(task)->createString(task, text, n);
}

#if HIREDIS_MAJOR >= 1
static void *create_array(const redisReadTask *task, size_t n) {
  return is_unasked(task) || n > LARGEST ? NULL
                                         : theirs(task)->createArray(task, n);
}

static void *create_double(const redisReadTask *task, double d, char *text,
                           size_t n) {
  return is_unasked(task) ? NULL
                          : theirs(task)->createDouble(task, d, text, n);
}

static void *create_bool(const redisReadTask *task, int b) {
  return is_unasked(task) ? NULL : theirs(task)->createBool(task, b);
}
#else
static void *create_array(const redisReadTask *task, int n) {
  return is_unasked(task) || n > LARGEST ? NULL
                                         : theirs(task)->createArray(task, n);
}
#endif

static void *create_integer(const redisReadTask *task, long long i) {
  return is_unasked(task) ? NULL : theirs(task)->createInteger(task, i);
}

static void *create_nil(const redisReadTask *task) {
  return is_unasked(task) ? NULL : theirs(task)->createNil(task);
}

static void count_replies(struct ofox_redis_link *l, redisReader *reader) {
  l->_theirs = reader->fn;
  l->_ours = *reader->fn;
  l->_ours.createString = create_text;
  l->_ours.createArray = create_array;
  l->_ours.createInteger = create_integer;
  l->_ours.createNil = create_nil;
#if HIREDIS_MAJOR >= 1
  l->_ours.createDouble = create_double;
  l->_ours.createBool = create_bool;
#endif
  reader->fn = &l->_ours;
  reader->privdata = l;
}

/* Life */

/* hiredis goes on to write then: TLS begins after that. */
static void on_connect(const redisAsyncContext *ac, int status) {
  struct ofox_redis_link *l = ac->data;
  l->_connected = status == REDIS_OK;
}

int ofox_redis_link_open(struct ofox_redis_link *l, const char *where,
                         int port) {
  redisAsyncContext *ac = port == 0 ? redisAsyncConnectUnix(where)
                                    : redisAsyncConnect(where, port);
  l->why[0] = '\0';
  l->unanswered = 0;
  l->is_up = l->_connected = l->_failed = l->_wants = 0;
  if (ac == NULL || ac->err != 0) {
    explain(l, ac == NULL ? "not enough memory" : ac->errstr);
    if (ac != NULL)
      redisAsyncFree(ac);
    return -1;
  }
  fcntl(ac->c.fd, F_SETFD, FD_CLOEXEC);
  l->_ac = ac;
  ac->data = l;
  ac->ev.data = l;
  ac->ev.addRead = add_read;
  ac->ev.delRead = del_read;
  ac->ev.addWrite = add_write;
  ac->ev.delWrite = del_write;
  ac->ev.cleanup = clean_up;
  count_replies(l, ac->c.reader);
  redisAsyncSetConnectCallback(ac, on_connect);
  if (!l->_failed)
    return 0;
  ofox_redis_link_close(l, NULL);
  return -1;
}

int ofox_redis_link_is_open(const struct ofox_redis_link *l) {
  return l->_ac != NULL;
}

static void on_reply(redisAsyncContext *ac, void *reply, void *asked) {
  struct ofox_redis_asked *a = asked;
  (void)ac;
  a->answered(a, reply);
}

int ofox_redis_link_send(struct ofox_redis_link *l, struct ofox_span bytes,
                         struct ofox_redis_asked *a) {
  if (l->_ac == NULL || l->_failed)
    return -1;
  if (redisAsyncFormattedCommand(l->_ac, on_reply, a, bytes.p, bytes.n) !=
      REDIS_OK)
    return -1;
  l->unanswered++;
  return 0;
}

static void go_up(struct ofox_redis_link *l) {
  if (l->tls == NULL || ofox_redis_tls_begin(l->tls, &l->_ac->c) == 0) {
    l->is_up = 1;
    return;
  }
  l->_failed = 1; /* clean_up says why */
}

/* An error is found by whichever of the two was wanted. */
void ofox_redis_link_serve(struct ofox_redis_link *l, int what) {
  if (l->tls != NULL)
    ofox_redis_tls_enter();
  if (what & OFOX_POLL_ERR)
    what |= l->_wants;
  if (l->_ac != NULL && !l->_failed && (what & OFOX_POLL_IN))
    redisAsyncHandleRead(l->_ac);
  if (l->_ac != NULL && !l->_failed && (what & OFOX_POLL_OUT))
    redisAsyncHandleWrite(l->_ac);
  if (l->_ac != NULL && !l->_failed && l->_connected && !l->is_up)
    go_up(l);
  if (l->_failed)
    ofox_redis_link_close(l, NULL);
}

void ofox_redis_link_close(struct ofox_redis_link *l, const char *because) {
  if (l->_ac == NULL)
    return;
  if (because != NULL)
    explain(l, because);
  redisAsyncFree(l->_ac);
}
