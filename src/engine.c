#define _GNU_SOURCE
#include "engine.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <curl/curl.h>
#include <time.h>
#include <unistd.h>

#include "outcome.h"
#include "sigpipe.h"
#include "transfer.h"

#define EVENTS 32      /* taken at once: what a step costs has a bound */
#define LATE_PASSES 64 /* reads that a host which came late is granted */
#define SPARE_HANDLES 8

struct ofox_engine {
  CURLM *multi; /* NULL while there is no memory for one */
  struct ofox_wire wire;
  struct ofox_transfer *transfers;
  CURL *spare[SPARE_HANDLES];
  size_t spares;
  struct ofox_news news;
  double curl_due; /* when libcurl wants to be called */
  double alarm;    /* when whoever drives the engine does */
  int resume;      /* a paused transfer may go on */
  int shown;       /* an outer loop watches the poller's descriptor */
  pid_t pid;
};

/* Clocks */

static double seconds_of(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double ofox_engine_now(void) {
  return seconds_of(CLOCK_MONOTONIC);
}

double ofox_engine_wall(void) {
  return seconds_of(CLOCK_REALTIME);
}

/* Lets an outer loop know in time. */
static void rearm(struct ofox_engine *e) {
  if (e->shown)
    ofox_poller_arm(e->wire.poller, ofox_engine_timeout(e));
}

/* What libcurl asks for */

static int on_interest(CURL *easy, curl_socket_t fd, int what, void *user,
                       void *socket_user) {
  struct ofox_engine *e = user;
  int events = 0;
  (void)easy;
  (void)socket_user;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
    events |= OFOX_POLL_IN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
    events |= OFOX_POLL_OUT;
  return ofox_poller_set(e->wire.poller, fd, events) < 0 ? -1 : 0;
}

static int on_timer(CURLM *multi, long ms, void *user) {
  struct ofox_engine *e = user;
  (void)multi;
  e->curl_due = ms < 0 ? INFINITY : ofox_engine_now() + (double)ms / 1000;
  return 0;
}

/* Transfers */

static void park(struct ofox_engine *e, CURL *easy) {
  curl_easy_reset(easy);
  if (e->spares < SPARE_HANDLES)
    e->spare[e->spares++] = easy;
  else
    curl_easy_cleanup(easy);
}

/* Takes the handle off the wire: a connection in the middle is closed. */
static void stop(struct ofox_transfer *t) {
  struct ofox_sigpipe guard;
  if (t->easy == NULL)
    return;
  if (!ofox_engine_is_ours(t->engine)) { /* left behind, see abandon */
    t->easy = NULL;
    t->headers = NULL;
    ofox_coding_free(&t->coding);
    return;
  }
  ofox_sigpipe_hold(&guard);
  curl_multi_remove_handle(t->engine->multi, t->easy);
  ofox_sockets_release(&t->wire->sockets, t,
                       t->call != NULL ? t->call->reply.head.version
                                       : t->version);
  park(t->engine, t->easy);
  ofox_sigpipe_release(&guard);
  t->easy = NULL;
  ofox_transfer_clear(t);
}

static void drop(struct ofox_transfer *t) {
  stop(t);
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

static void detach(struct ofox_call *c) {
  drop(c->transfer);
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

static void finish(struct ofox_transfer *t, enum ofox_outcome outcome,
                   const char *detail) {
  struct ofox_call *c = t->call;
  int sent = ofox_transfer_sent(t);
  stop(t);
  if (c == NULL) {
    drop(t);
    return;
  }
  ofox_call_end(c, outcome, sent, ofox_span_of(detail), ofox_engine_now(),
                ofox_engine_wall());
  ofox_wire_expect(t->wire, t);
  if (c->state == OFOX_DONE)
    drop(t);
}

/* Nothing was sent on a connection that was not silent: take a new one. */
static void start_over(struct ofox_transfer *t) {
  CURLM *multi = t->engine->multi;
  curl_multi_remove_handle(multi, t->easy);
  ofox_sockets_release(&t->wire->sockets, t, 0);
  t->sends = t->stray = 0;
  curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);
  if (curl_multi_add_handle(multi, t->easy) != CURLM_OK)
    finish(t, OFOX_OUTCOME_SEND, "");
}

static void ended(struct ofox_transfer *t, CURLcode rc) {
  enum ofox_outcome outcome = ofox_transfer_outcome(t, rc);
  if (t->call != NULL && t->stray)
    start_over(t);
  else
    finish(t, outcome, t->detail);
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

static int open_multi(struct ofox_engine *e) {
  if (e->multi != NULL)
    return 0;
  e->multi = curl_multi_init();
  if (e->multi == NULL)
    return OFOX_EMEM;
  curl_multi_setopt(e->multi, CURLMOPT_SOCKETFUNCTION, on_interest);
  curl_multi_setopt(e->multi, CURLMOPT_SOCKETDATA, e);
  curl_multi_setopt(e->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(e->multi, CURLMOPT_TIMERDATA, e);
  return 0;
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
    finish(t, OFOX_OUTCOME_SEND, "");
  }
  curl_multi_cleanup(e->multi);
  e->multi = NULL;
  e->curl_due = INFINITY;
}

/* Rounds */

/* Takes what at most 'max' sockets have, after at most 'seconds'. 0, or -1: a
** signal. */
static int take(struct ofox_engine *e, double seconds, size_t max) {
  struct ofox_poll_event events[EVENTS];
  struct ofox_transfer *t = NULL;
  CURLMsg *m;
  CURLcode rc;
  int i, n, running, lost = 0;
  e->wire.turn++;
  n = ofox_poller_wait(e->wire.poller, seconds, events, max);
  for (i = 0; i < n; i++) {
    /* not CURL_CSELECT_ERR, which hides from libcurl what the error is */
    int what = (events[i].what & OFOX_POLL_IN ? CURL_CSELECT_IN : 0) |
               (events[i].what & OFOX_POLL_OUT ? CURL_CSELECT_OUT : 0);
    lost |= curl_multi_socket_action(e->multi, events[i].fd, what, &running) !=
            CURLM_OK;
  }
  if (ofox_engine_now() >= e->curl_due) {
    e->curl_due = INFINITY;
    lost |= curl_multi_socket_action(e->multi, CURL_SOCKET_TIMEOUT, 0,
                                     &running) != CURLM_OK;
  }
  while ((m = curl_multi_info_read(e->multi, &i)) != NULL) {
    rc = m->data.result;
    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
    if (t != NULL)
      ended(t, rc);
  }
  if (lost)
    start_anew(e);
  return n < 0 ? -1 : 0;
}

/* Has a limit passed for a call that is still being answered? */
static int is_late(const struct ofox_engine *e, double now) {
  const struct ofox_transfer *t;
  if (now < e->wire.next_due)
    return 0;
  for (t = e->transfers; t != NULL; t = t->next) {
    if (t->call != NULL && t->easy != NULL && t->progress == e->wire.turn &&
        ofox_call_expired(t->call, now) != OFOX_OUTCOME_ANSWERED)
      return 1;
  }
  return 0;
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
    ofox_call_pause(t->call, 0, ofox_engine_now());
    ofox_wire_expect(&e->wire, t);
    rc = curl_easy_pause(t->easy, CURLPAUSE_CONT);
    if (rc != CURLE_OK)
      ended(t, rc);
  }
}

/* Lets the limits of calls speak, and their waits end. */
static void judge(struct ofox_engine *e, double now) {
  struct ofox_transfer *t, *next;
  enum ofox_outcome o;
  if (now < e->wire.next_due)
    return;
  e->wire.next_due = INFINITY;
  for (t = e->transfers; t != NULL; t = next) {
    struct ofox_call *c = t->call;
    next = t->next;
    if (c == NULL && now >= t->drained_by) {
      drop(t);
      continue;
    }
    o = OFOX_OUTCOME_ANSWERED;
    if (c != NULL) {
      ofox_call_tick(c, now);
      o = ofox_call_expired(c, now);
    }
    if (o != OFOX_OUTCOME_ANSWERED)
      finish(t, o, "");
    else
      ofox_wire_expect(&e->wire, t);
  }
}

/* The end of a stream that has just been read may be here by now, and with it
** a connection for the next call. */
static void settle(struct ofox_engine *e) {
  struct ofox_sigpipe guard;
  if (e->wire.draining == 0)
    return;
  ofox_sigpipe_hold(&guard);
  take(e, 0, EVENTS);
  ofox_sigpipe_release(&guard);
}

int ofox_engine_step(struct ofox_engine *e, double seconds, size_t max) {
  struct ofox_sigpipe guard;
  int rc, passes;
  if (max == 0 || max > EVENTS)
    max = EVENTS;
  ofox_sigpipe_hold(&guard);
  go_on(e);
  rc = take(e, fmin(seconds, ofox_engine_timeout(e)), max);
  /* limits are judged after a read that found nothing, so that a host which
     paused is not punished for answers that were there in time */
  for (passes = 0; passes < LATE_PASSES && is_late(e, ofox_engine_now());
       passes++)
    take(e, 0, EVENTS);
  judge(e, ofox_engine_now());
  rearm(e);
  ofox_sigpipe_release(&guard);
  return rc;
}

int ofox_engine_start(struct ofox_engine *e, struct ofox_call *c,
                      const struct ofox_request *r) {
  struct ofox_transfer *t = c->transfer;
  CURLcode rc;
  long limit;
  if (open_multi(e) != 0)
    return OFOX_EMEM;
  settle(e);
  if (t != NULL && t->engine != e) { /* of an engine of another process */
    drop(t);
    t = NULL;
  }
  if (t == NULL)
    t = attach(e, c);
  if (t == NULL)
    return OFOX_EMEM;
  t->easy = e->spares > 0 ? e->spare[--e->spares] : curl_easy_init();
  rc = t->easy == NULL ? CURLE_OUT_OF_MEMORY : ofox_transfer_prepare(t, r);
  if (rc == CURLE_OUT_OF_MEMORY)
    goto fail;
  if (ofox_call_begin(c, ofox_engine_now()) != 0) {
    drop(t);
    return 0;
  }
  if (rc != CURLE_OK) { /* what this libcurl cannot do */
    finish(t, OFOX_OUTCOME_SEND, curl_easy_strerror(rc));
    return 0;
  }
  limit = least_limit(e);
  if (limit > 0)
    ofox_call_queue(c);
  curl_multi_setopt(e->multi, CURLMOPT_MAX_HOST_CONNECTIONS, limit);
  if (curl_multi_add_handle(e->multi, t->easy) != CURLM_OK)
    goto fail;
  ofox_wire_expect(&e->wire, t);
  rearm(e);
  return 0;
fail:
  drop(t);
  return OFOX_EMEM;
}

void ofox_engine_cancel(struct ofox_engine *e, struct ofox_call *c) {
  struct ofox_transfer *t = c->transfer;
  int sent = t != NULL && ofox_transfer_sent(t);
  if (c->detach != NULL)
    c->detach(c);
  ofox_call_abort(c, OFOX_OUTCOME_CANCELLED, sent, ofox_engine_now());
  if (e != NULL && ofox_engine_is_ours(e))
    rearm(e);
}

double ofox_engine_timeout(const struct ofox_engine *e) {
  double due = fmin(fmin(e->curl_due, e->wire.next_due), e->alarm);
  return e->resume || ofox_news_any(&e->news)
             ? 0
             : fmax(0, due - ofox_engine_now());
}

void ofox_engine_alarm(struct ofox_engine *e, double at) {
  e->alarm = at;
  rearm(e);
}

struct ofox_news *ofox_engine_news(struct ofox_engine *e) {
  return &e->news;
}

int ofox_engine_pollfd(struct ofox_engine *e) {
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
  int why;
  if (e == NULL)
    return NULL;
  e->pid = getpid();
  e->curl_due = e->wire.next_due = e->alarm = INFINITY;
  ofox_news_init(&e->news);
  e->wire.one_ca_file =
      info->cainfo != NULL && access(info->cainfo, R_OK) == 0;
  ofox_sockets_init(&e->wire.sockets);
  e->wire.poller = ofox_poller_new();
  why = errno;
  if (e->wire.poller != NULL && open_multi(e) == 0)
    return e;
  why = e->wire.poller == NULL ? why : ENOMEM;
  ofox_engine_delete(e);
  errno = why;
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
    drop(t);
  }
  ofox_news_clear(&e->news);
  while (e->spares > 0)
    curl_easy_cleanup(e->spare[--e->spares]);
  curl_multi_cleanup(e->multi);
  ofox_sockets_free(&e->wire.sockets);
  ofox_poller_delete(e->wire.poller);
  free(e);
  ofox_sigpipe_release(&guard);
}
