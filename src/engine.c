#define _GNU_SOURCE
#include "engine.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <curl/curl.h>
#include <unistd.h>

#include "moment.h"
#include "outcome.h"
#include "sigpipe.h"
#include "transfer.h"

#define EVENTS 32      /* taken at once: what a step costs has a bound */
#define LATE_PASSES 64 /* reads that a host which came late is granted */
#define MOST_READS 128 /* more than that, it gets in its next step */

struct ofox_engine {
  struct ofox_wire wire;
  struct ofox_transfer *transfers;
  struct ofox_news news;
  double alarm; /* when whoever drives the engine wants to be called */
  int late;     /* reads since a limit has passed, see look_again */
  int resume;   /* a paused transfer may go on */
  int shown;    /* an outer loop watches the poller's descriptor */
  pid_t pid;
};

/* Lets an outer loop know in time. */
static void rearm(struct ofox_engine *e) {
  if (e->shown)
    ofox_poller_arm(e->wire.poller, ofox_engine_timeout(e));
}

/* Transfers */

/*
** Takes the handle off the wire: a connection in the middle is closed. One
** that goes on without it, but let it wait in vain for 'patience' seconds,
** takes no new transfers.
*/
static void stop(struct ofox_transfer *t, double patience) {
  struct ofox_wire *w = t->wire;
  struct ofox_hold socket = t->socket;
  struct ofox_sigpipe guard;
  int silent;
  if (t->easy == NULL)
    return;
  if (!ofox_engine_is_ours(t->engine)) { /* left behind, see abandon */
    t->easy = NULL;
    t->headers = NULL;
    return;
  }
  silent = ofox_transfer_is_silent(t, patience, ofox_moment_now());
  ofox_sigpipe_hold(&guard);
  if (t->pool != NULL)
    ofox_pool_remove(t->pool, t->easy);
  ofox_sockets_release(&w->sockets, &t->socket,
                       t->call != NULL ? t->call->reply.head.version
                                       : t->version);
  if (silent && ofox_sockets_silence(&w->sockets, &socket))
    ofox_pools_leave(&w->pools);
  ofox_pools_park(&w->pools, t->easy);
  ofox_sigpipe_release(&guard);
  t->easy = NULL;
  t->pool = NULL;
  curl_slist_free_all(t->headers);
  t->headers = NULL;
}

static void drop(struct ofox_transfer *t, double patience) {
  stop(t, patience);
  if (t->call != NULL)
    ofox_call_let_go(t->call);
  else
    t->wire->draining--;
  *t->link = t->next;
  if (t->next != NULL)
    t->next->link = t->link;
  if (t->engine->transfers == NULL)
    t->wire->next_due = INFINITY;
  free(t);
}

/* Who gives up waits no less than for a connection before it is to blame. */
static void detach(struct ofox_call *c) {
  drop(c->transfer, c->config.limits.connect_timeout);
}

/* There is room for the events of a transfer that was paused. */
static void resume(struct ofox_call *c) {
  struct ofox_transfer *t = c->transfer;
  t->engine->resume = 1;
  if (ofox_engine_is_ours(t->engine))
    rearm(t->engine);
}

static struct ofox_transfer *attach(struct ofox_engine *e,
                                    struct ofox_call *c) {
  struct ofox_transfer *t = calloc(1, sizeof(*t));
  if (t == NULL)
    return NULL;
  t->engine = e;
  t->wire = &e->wire;
  t->call = c;
  t->next = e->transfers;
  t->link = &e->transfers;
  if (t->next != NULL)
    t->next->link = &t->next;
  e->transfers = t;
  c->transfer = t;
  c->detach = detach;
  c->resume = resume;
  ofox_note_drop(&c->note);
  c->note.list = &e->news;
  return t;
}

/* 'patience': see stop; 0 if it ran out of time. */
static void finish(struct ofox_transfer *t, enum ofox_outcome outcome,
                   const char *detail, double patience) {
  struct ofox_call *c = t->call;
  int sent = ofox_transfer_sent(t);
  stop(t, patience);
  if (c == NULL) {
    drop(t, INFINITY);
    return;
  }
  ofox_call_end(c, outcome, sent, ofox_span_of(detail), ofox_moment_now(),
                ofox_moment_wall());
  ofox_wire_expect(t->wire, t);
  if (c->state == OFOX_DONE)
    drop(t, INFINITY);
}

static void fail(struct ofox_transfer *t, enum ofox_outcome outcome,
                 const char *detail) {
  finish(t, outcome, detail, INFINITY);
}

/* libcurl has one limit of connections to a host for all. */
static long least_limit(const struct ofox_engine *e) {
  const struct ofox_transfer *t;
  long least = 0;
  for (t = e->transfers; t != NULL; t = t->next) {
    if (t->easy != NULL && t->limit > 0 && (least == 0 || t->limit < least))
      least = t->limit;
  }
  return least;
}

/* 0, or OFOX_EMEM. */
static int admit(struct ofox_engine *e, struct ofox_transfer *t) {
  if (ofox_pools_open(&e->wire.pools) != 0)
    return OFOX_EMEM;
  ofox_pools_limit(&e->wire.pools, least_limit(e));
  t->pool = ofox_pools_add(&e->wire.pools, t->easy);
  return t->pool == NULL ? OFOX_EMEM : 0;
}

/* Nothing was sent on a connection that was not fit: take a new one. */
static void start_over(struct ofox_transfer *t) {
  long fresh = t->pool == t->wire->pools.open;
  ofox_pool_remove(t->pool, t->easy);
  t->pool = NULL;
  t->sends = t->stray = 0;
  curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, fresh);
  if (admit(t->engine, t) != 0)
    fail(t, OFOX_OUTCOME_SEND, "");
}

static void ended(struct ofox_transfer *t, CURLcode rc) {
  enum ofox_outcome outcome = ofox_transfer_outcome(t, rc);
  if (t->call != NULL && t->stray)
    start_over(t);
  else
    fail(t, outcome, t->detail);
}

/*
** libcurl had no memory to note what it waits for, and does not say for whom:
** some transfer would hear of nothing any more, and the next on its socket
** would crash libcurl 7.88.
*/
static void start_anew(struct ofox_engine *e) {
  struct ofox_transfer *t, *next;
  for (t = e->transfers; t != NULL; t = next) {
    next = t->next;
    if (t->easy == NULL)
      continue;
    if (t->call != NULL)
      t->call->no_memory = 1;
    fail(t, OFOX_OUTCOME_SEND, "");
  }
  ofox_pools_leave(&e->wire.pools);
  ofox_pools_sweep(&e->wire.pools);
}

/* Rounds */

/* Takes what at most 'max' sockets have, after at most 'seconds'; '*found' is
** how much that was, so that 0 says there is no more. 0, or -1: a signal. */
static int take(struct ofox_engine *e, double seconds, size_t max,
                int *found) {
  struct ofox_pools *p = &e->wire.pools;
  struct ofox_poll_event events[EVENTS];
  struct ofox_transfer *t = NULL;
  CURL *easy;
  CURLcode how;
  double now;
  int i, n, lost = 0;
  e->wire.turn++;
  n = ofox_poller_wait(e->wire.poller, seconds, events, max);
  now = ofox_moment_now();
  *found = n < 0 ? 1 : n;
  for (i = 0; i < n; i++) {
    if (events[i].what & OFOX_POLL_IN)
      ofox_sockets_hear(&e->wire.sockets, events[i].fd, now);
    lost |= ofox_pools_event(p, &events[i]);
  }
  if (now >= ofox_pools_due(p)) {
    ++*found;
    lost |= ofox_pools_timers(p, now);
  }
  while ((easy = ofox_pools_ended(p, &how)) != NULL) {
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
    if (t != NULL)
      ended(t, how);
  }
  if (lost)
    start_anew(e);
  ofox_pools_sweep(p);
  return n < 0 ? -1 : 0;
}

/* Has a limit passed for an attempt whose answer may be waiting? */
static int is_late(const struct ofox_engine *e, double now) {
  const struct ofox_transfer *t;
  if (now < e->wire.next_due)
    return 0;
  for (t = e->transfers; t != NULL; t = t->next) {
    if (t->call != NULL && t->easy != NULL &&
        ofox_call_expired(t->call, now) != OFOX_OUTCOME_ANSWERED)
      return 1;
  }
  return 0;
}

/*
** Limits are judged after a read that found nothing, so that a process which
** stood still is not punished for answers that were there in time. Where
** there is always more to read, each socket has had its turn by then, and a
** step does a part of that. The moment to judge by; -INFINITY: not yet.
*/
static double look_again(struct ofox_engine *e) {
  int enough =
      LATE_PASSES + (int)(ofox_sockets_count(&e->wire.sockets) / EVENTS);
  int found, reads = 0;
  double now = ofox_moment_now();
  while (is_late(e, now) && e->late < enough) {
    if (reads > MOST_READS)
      return -INFINITY;
    take(e, 0, EVENTS, &found);
    if (found == 0)
      break;
    e->late++;
    reads += found;
    now = ofox_moment_now();
  }
  e->late = 0;
  return now;
}

/* Reads on where a reader was slow. */
static void go_on(struct ofox_engine *e) {
  struct ofox_transfer *t, *next;
  CURLcode rc;
  if (!e->resume)
    return;
  e->resume = 0;
  for (t = e->transfers; t != NULL; t = next) {
    next = t->next;
    if (t->call == NULL || !t->call->clock.paused ||
        !ofox_stream_has_room(&t->call->reply.stream))
      continue;
    ofox_call_pause(t->call, 0, ofox_moment_now());
    ofox_wire_expect(&e->wire, t);
    rc = curl_easy_pause(t->easy, CURLPAUSE_CONT);
    if (rc != CURLE_OK)
      ended(t, rc);
  }
}

/* Lets waits end, and the limits of calls speak that had passed at 'late'. */
static void judge(struct ofox_engine *e, double now, double late) {
  struct ofox_transfer *t, *next;
  enum ofox_outcome o;
  if (now < e->wire.next_due)
    return;
  e->wire.next_due = INFINITY;
  for (t = e->transfers; t != NULL; t = next) {
    struct ofox_call *c = t->call;
    next = t->next;
    if (c == NULL && now >= t->drained_by) {
      drop(t, INFINITY);
      continue;
    }
    o = OFOX_OUTCOME_ANSWERED;
    if (c != NULL) {
      ofox_call_tick(c, now);
      o = ofox_call_expired(c, late);
    }
    if (o != OFOX_OUTCOME_ANSWERED)
      finish(t, o, "", 0);
    else
      ofox_wire_expect(&e->wire, t);
  }
}

/* The end of a stream that has just been read may be here by now, and with it
** a connection for the next call. */
static void settle(struct ofox_engine *e) {
  struct ofox_sigpipe guard;
  int found;
  if (e->wire.draining == 0)
    return;
  ofox_sigpipe_hold(&guard);
  take(e, 0, EVENTS, &found);
  ofox_sigpipe_release(&guard);
}

int ofox_engine_step(struct ofox_engine *e, double seconds, size_t max) {
  struct ofox_sigpipe guard;
  double late;
  int rc, found;
  if (max == 0 || max > EVENTS)
    max = EVENTS;
  ofox_sigpipe_hold(&guard);
  go_on(e);
  rc = take(e, fmin(seconds, ofox_engine_timeout(e)), max, &found);
  late = look_again(e);
  judge(e, ofox_moment_now(), late);
  ofox_pools_sweep(&e->wire.pools);
  rearm(e);
  ofox_sigpipe_release(&guard);
  return rc;
}

int ofox_engine_start(struct ofox_engine *e, struct ofox_call *c,
                      const struct ofox_request *r) {
  struct ofox_transfer *t = c->transfer;
  CURLcode rc;
  settle(e);
  if (t != NULL && t->engine != e) { /* of an engine of another process */
    drop(t, INFINITY);
    t = NULL;
  }
  if (t == NULL)
    t = attach(e, c);
  if (t == NULL)
    return OFOX_EMEM;
  t->easy = ofox_pools_handle(&e->wire.pools);
  rc = t->easy == NULL ? CURLE_OUT_OF_MEMORY : ofox_transfer_prepare(t, r);
  if (rc == CURLE_OUT_OF_MEMORY)
    goto fail;
  if (ofox_call_begin(c, ofox_moment_now()) != 0) {
    drop(t, INFINITY);
    return 0;
  }
  if (rc != CURLE_OK) { /* what this libcurl cannot do */
    fail(t, OFOX_OUTCOME_SEND, curl_easy_strerror(rc));
    return 0;
  }
  if (ofox_poller_open(e->wire.poller) != 0) {
    fail(t, OFOX_OUTCOME_NO_DESCRIPTORS, "");
    return 0;
  }
  if (least_limit(e) > 0)
    ofox_call_queue(c);
  if (admit(e, t) != 0)
    goto fail;
  ofox_wire_expect(&e->wire, t);
  rearm(e);
  return 0;
fail:
  drop(t, INFINITY);
  return OFOX_EMEM;
}

void ofox_engine_cancel(struct ofox_engine *e, struct ofox_call *c) {
  struct ofox_transfer *t = c->transfer;
  int sent = t != NULL && ofox_transfer_sent(t);
  if (c->detach != NULL)
    c->detach(c);
  ofox_call_abort(c, OFOX_OUTCOME_CANCELLED, sent, ofox_moment_now());
  if (e != NULL && ofox_engine_is_ours(e))
    rearm(e);
}

double ofox_engine_timeout(const struct ofox_engine *e) {
  double due =
      fmin(fmin(ofox_pools_due(&e->wire.pools), e->wire.next_due), e->alarm);
  return e->resume || ofox_news_any(&e->news)
             ? 0
             : fmax(0, due - ofox_moment_now());
}

void ofox_engine_alarm(struct ofox_engine *e, double at) {
  e->alarm = at;
  rearm(e);
}

struct ofox_news *ofox_engine_news(struct ofox_engine *e) {
  return &e->news;
}

int ofox_engine_pollfd(struct ofox_engine *e) {
  if (ofox_poller_open(e->wire.poller) != 0)
    return -1;
  e->shown = 1;
  rearm(e);
  return ofox_poller_fd(e->wire.poller);
}

/* Life */

int ofox_engine_setup(void) {
  return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : OFOX_EMEM;
}

struct ofox_engine *ofox_engine_new(void) {
  struct ofox_engine *e = calloc(1, sizeof(*e));
  curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  if (e == NULL)
    return NULL;
  e->pid = getpid();
  e->wire.next_due = e->alarm = INFINITY;
  ofox_news_init(&e->news);
  e->wire.one_ca_file =
      info->cainfo != NULL && access(info->cainfo, R_OK) == 0;
  ofox_sockets_init(&e->wire.sockets);
  e->wire.poller = ofox_poller_new();
  ofox_pools_init(&e->wire.pools, e->wire.poller);
  if (e->wire.poller != NULL && ofox_pools_open(&e->wire.pools) == 0)
    return e;
  ofox_engine_delete(e);
  return NULL;
}

int ofox_engine_is_ours(const struct ofox_engine *e) {
  return e->pid == getpid();
}

/* In a child libcurl must not speak: what it holds there is left behind. */
static void abandon(struct ofox_engine *e) {
  struct ofox_transfer *t;
  for (t = e->transfers; t != NULL; t = t->next) {
    if (t->call != NULL)
      ofox_call_let_go(t->call);
  }
  ofox_news_clear(&e->news);
  ofox_sockets_abandon(&e->wire.sockets);
  ofox_poller_delete(e->wire.poller);
}

void ofox_engine_delete(struct ofox_engine *e) {
  struct ofox_transfer *t, *next;
  struct ofox_sigpipe guard;
  if (e == NULL)
    return;
  if (!ofox_engine_is_ours(e)) {
    abandon(e);
    return;
  }
  ofox_sigpipe_hold(&guard);
  for (t = e->transfers; t != NULL; t = next) {
    next = t->next;
    drop(t, INFINITY);
  }
  ofox_news_clear(&e->news);
  ofox_pools_free(&e->wire.pools);
  ofox_sockets_free(&e->wire.sockets);
  ofox_poller_delete(e->wire.poller);
  free(e);
  ofox_sigpipe_release(&guard);
}
