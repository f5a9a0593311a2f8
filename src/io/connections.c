#include "io/connections.h"

#include <math.h>
#include <stdlib.h>

#include "io/clocks.h"

/* Of one connection; the server's limit applies, and libcurl's own is 100. */
/* Connections kept for later; libcurl would keep four for one call at a time,
** and close the one just used when there are more, to whatever hosts. */
#define MOST_KEPT 64L
#define MOST_STREAMS 10000L

struct ofox_pool {
  CURLM *multi;
  struct ofox_connections *all;
  struct ofox_pool *next;
  size_t transfers;
  double due; /* when libcurl must be called */
  long limit; /* of connections to a host */
};

void ofox_connections_init(struct ofox_connections *p,
                           struct ofox_poller *poller) {
  p->poller = poller;
  p->open = p->left = NULL;
  ofox_buf_init(&p->_descriptors, (size_t)-1);
}

/* libcurl's requests */

/* What is known of a descriptor. */
struct ofox_descriptor {
  struct ofox_pool *pool; /* that waits for it, or NULL */
  int opened;             /* it is a connection, whose close is reported */
  int watched;            /* what the poller watches it for */
};

/* NULL: it never belonged to a pool. */
static struct ofox_descriptor *descriptor(const struct ofox_connections *p,
                                          int fd) {
  struct ofox_descriptor *list =
      (struct ofox_descriptor *)(void *)p->_descriptors.p;
  if (fd < 0 || (size_t)fd >= p->_descriptors.n / sizeof(*list))
    return NULL;
  return &list[fd];
}

/* The same, if there is memory for it. */
static struct ofox_descriptor *note(struct ofox_connections *p, int fd) {
  static const struct ofox_descriptor unknown;
  while (fd >= 0 && descriptor(p, fd) == NULL) {
    if (ofox_buf_add(&p->_descriptors, &unknown, sizeof(unknown)) != 0)
      return NULL;
  }
  return descriptor(p, fd);
}

static int watch(struct ofox_connections *p, struct ofox_descriptor *d, int fd,
                 int events) {
  if (d->opened && d->watched == events)
    return 0;
  d->watched = 0;
  if (ofox_poller_set(p->poller, fd, events) < 0)
    return -1;
  d->watched = events;
  return 0;
}

void ofox_connections_opened(struct ofox_connections *p, int fd) {
  struct ofox_descriptor *d = note(p, fd);
  if (d == NULL)
    return;
  d->opened = 1;
  d->watched = 0;
}

void ofox_connections_closed(struct ofox_connections *p, int fd) {
  struct ofox_descriptor *d = descriptor(p, fd);
  ofox_poller_set(p->poller, fd, 0);
  if (d != NULL)
    d->opened = d->watched = 0;
}

static int on_interest(CURL *easy, curl_socket_t fd, int what, void *user,
                       void *socket_user) {
  struct ofox_pool *pool = user;
  struct ofox_connections *all = pool->all;
  struct ofox_descriptor *d = descriptor(all, fd);
  int events = 0;
  (void)easy;
  (void)socket_user;
  if (what == CURL_POLL_REMOVE) {
    if (d == NULL || d->pool != pool)
      return 0; /* the number was reused elsewhere */
    d->pool = NULL;
    if (d->opened && d->watched == OFOX_POLL_IN)
      return 0; /* the next request on it will wait for the same */
    return watch(all, d, fd, 0);
  }
  d = note(all, fd);
  if (d == NULL)
    return -1;
  d->pool = pool;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
    events |= OFOX_POLL_IN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
    events |= OFOX_POLL_OUT;
  return watch(all, d, fd, events);
}

static int on_timer(CURLM *multi, long ms, void *user) {
  struct ofox_pool *pool = user;
  (void)multi;
  pool->due = ms < 0 ? INFINITY : ofox_clocks_now() + (double)ms / 1000;
  return 0;
}

/* Life */

int ofox_connections_open(struct ofox_connections *p) {
  struct ofox_pool *pool;
  if (p->open != NULL)
    return 0;
  pool = calloc(1, sizeof(*pool));
  if (pool == NULL)
    return OFOX_EMEM;
  pool->multi = curl_multi_init();
  if (pool->multi == NULL) {
    free(pool);
    return OFOX_EMEM;
  }
  pool->all = p;
  pool->due = INFINITY;
  p->open = pool;
  curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, on_interest);
  curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
  curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
  curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, MOST_KEPT);
  curl_multi_setopt(pool->multi, CURLMOPT_MAX_CONCURRENT_STREAMS,
                    MOST_STREAMS);
  return 0;
}

static void close_pool(struct ofox_pool *pool) {
  struct ofox_connections *all = pool->all;
  struct ofox_descriptor *d;
  int fd;
  curl_multi_cleanup(pool->multi);
  for (fd = 0; (d = descriptor(all, fd)) != NULL; fd++) {
    if (d->pool == pool)
      d->pool = NULL;
  }
  free(pool);
}

void ofox_connections_leave(struct ofox_connections *p) {
  if (p->open == NULL)
    return;
  p->open->next = p->left;
  p->left = p->open;
  p->open = NULL;
}

void ofox_connections_sweep(struct ofox_connections *p) {
  struct ofox_pool **link = &p->left;
  while (*link != NULL) {
    struct ofox_pool *pool = *link;
    if (pool->transfers > 0) {
      link = &pool->next;
      continue;
    }
    *link = pool->next;
    close_pool(pool);
  }
}

void ofox_connections_free(struct ofox_connections *p) {
  ofox_connections_leave(p);
  ofox_connections_sweep(p);
  ofox_buf_free(&p->_descriptors);
}

/* Transfers */

void ofox_connections_limit(struct ofox_connections *p, long connections) {
  if (p->open->limit == connections)
    return;
  p->open->limit = connections;
  curl_multi_setopt(p->open->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                    connections);
}

struct ofox_pool *ofox_connections_add(struct ofox_connections *p,
                                       CURL *easy) {
  if (ofox_connections_open(p) != 0 ||
      curl_multi_add_handle(p->open->multi, easy) != CURLM_OK)
    return NULL;
  p->open->transfers++;
  return p->open;
}

void ofox_pool_remove(struct ofox_pool *pool, CURL *easy) {
  curl_multi_remove_handle(pool->multi, easy);
  pool->transfers--;
}

/* Rounds */

/* The pool after 'pool', NULL being before the first. */
static struct ofox_pool *after(const struct ofox_connections *p,
                               const struct ofox_pool *pool) {
  if (pool == NULL)
    return p->open != NULL ? p->open : p->left;
  return pool == p->open ? p->left : pool->next;
}

double ofox_connections_due(const struct ofox_connections *p) {
  const struct ofox_pool *pool = NULL;
  double due = INFINITY;
  while ((pool = after(p, pool)) != NULL)
    due = fmin(due, pool->due);
  return due;
}

static int result_of(CURLMcode rc) {
  return rc == CURLM_OK ? 0 : OFOX_EMEM;
}

int ofox_connections_event(struct ofox_connections *p,
                           const struct ofox_poll_event *e) {
  /* not CURL_CSELECT_ERR, which hides the error from libcurl */
  int what = (e->what & OFOX_POLL_IN ? CURL_CSELECT_IN : 0) |
             (e->what & OFOX_POLL_OUT ? CURL_CSELECT_OUT : 0);
  struct ofox_descriptor *d = descriptor(p, e->fd);
  int running;
  if (d == NULL ||
      d->pool == NULL) { /* an idle connection has bytes, or is closed */
    ofox_poller_set(p->poller, e->fd, 0);
    if (d != NULL)
      d->watched = 0;
    return 0;
  }
  return result_of(
      curl_multi_socket_action(d->pool->multi, e->fd, what, &running));
}

int ofox_connections_timers(struct ofox_connections *p, double now) {
  struct ofox_pool *pool = NULL;
  int running, rc = 0;
  while ((pool = after(p, pool)) != NULL) {
    if (now < pool->due)
      continue;
    pool->due = INFINITY;
    rc |= result_of(curl_multi_socket_action(pool->multi, CURL_SOCKET_TIMEOUT,
                                             0, &running));
  }
  return rc;
}

CURL *ofox_connections_ended(struct ofox_connections *p, CURLcode *how) {
  struct ofox_pool *pool = NULL;
  int left;
  while ((pool = after(p, pool)) != NULL) {
    CURLMsg *m = curl_multi_info_read(pool->multi, &left);
    if (m != NULL) {
      *how = m->data.result;
      return m->easy_handle;
    }
  }
  return NULL;
}
