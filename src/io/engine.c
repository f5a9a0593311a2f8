#define _GNU_SOURCE
#include "io/engine.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <curl/curl.h>
#include <unistd.h>

#include "call/hedge.h"
#include "io/clocks.h"
#include "io/curl_options.h"
#include "io/forks.h"
#include "io/guests.h"
#include "io/transfers.h"

#define EVENTS 32      /* taken per step, to bound its cost */
#define LATE_PASSES 64 /* reads granted to a host that was late */
#define AWAY 0.25 /* seconds between steps after which a program was away */
#define MOST_READS 128 /* the rest is read in the next step */

struct ofox_engine {
  struct ofox_traffic traffic;
  struct ofox_guests guests;
  double alarm;  /* when the loop that drives it must be called */
  double looked; /* the end of the latest step */
  double away;   /* seconds that the program took before this step */
  int late;      /* reads since a limit has passed, see look_again */
};

/* Wakes an outer loop for events due before it checks by itself. */
static void show(struct ofox_engine *e) {
  double left = ofox_engine_timeout(e);
  int comes = ofox_clocks_now() + left < e->traffic.looks;
  ofox_poller_arm(e->traffic.poller, comes ? left : INFINITY);
}

static void rearm(struct ofox_engine *e) {
  if (e->traffic.looks > -INFINITY)
    show(e);
}

static void on_guest(void *engine) {
  rearm(engine);
}

/* Rounds */

/* Reads at most 'max' sockets, after at most 'seconds'; '*found' is how many
** had data, so that 0 means there is no more. 0, or -1: a signal. */
static int take(struct ofox_engine *e, double seconds, size_t max,
                int *found) {
  struct ofox_connections *p = &e->traffic.connections;
  struct ofox_poll_event events[EVENTS];
  struct ofox_handle *h = NULL;
  CURL *easy;
  CURLcode how;
  double now;
  int i, n, lost = 0;
  e->traffic.turn++;
  n = ofox_poller_wait(e->traffic.poller, seconds, events, max);
  now = ofox_clocks_now();
  *found = n < 0 ? 1 : n;
  for (i = 0; i < n; i++) {
    if (ofox_guests_event(&e->guests, &events[i], now))
      continue;
    if (events[i].what & OFOX_POLL_IN)
      ofox_sockets_hear(&e->traffic.sockets, events[i].fd, now);
    lost |= ofox_connections_event(p, &events[i]);
  }
  if (now >= ofox_connections_due(p)) {
    ++*found;
    lost |= ofox_connections_timers(p, now);
  }
  while ((easy = ofox_connections_ended(p, &how)) != NULL) {
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &h);
    if (h != NULL && h->transfer != NULL)
      ofox_transfers_ended(h->transfer, how);
  }
  if (lost)
    ofox_transfers_start_anew(&e->traffic);
  ofox_connections_sweep(p);
  return n < 0 ? -1 : 0;
}

static struct ofox_transfer *transfer_of(struct ofox_due_entry *due) {
  return (struct ofox_transfer *)(void *)due;
}

/* Has a limit expired for an attempt whose answer may be waiting, or is it due
** for a hedge? */
static int is_late(struct ofox_engine *e, double now) {
  struct ofox_dues *d = &e->traffic.dues;
  struct ofox_due_entry *due;
  while ((due = ofox_dues_passed(d, now)) != NULL) {
    const struct ofox_transfer *t = transfer_of(due);
    double at = ofox_transfer_due(t);
    if (now < at)
      ofox_dues_correct(d, due, at);
    else if (t->call != NULL && t->easy != NULL &&
             (ofox_call_expired(t->call, now) != OFOX_OUTCOME_ANSWERED ||
              now >= ofox_hedge_due(t->call)))
      return 1;
    else /* no answer would change that */
      ofox_dues_call(d, due);
  }
  return 0;
}

/*
** Limits are checked after a read that found nothing, so that a stopped
** process does not lose answers that arrived in time. If there is always more
** to read, each socket has had its turn by then, and a step does a part of
** that. Returns the time to check by; -INFINITY: not yet.
*/
static double look_again(struct ofox_engine *e) {
  int enough =
      LATE_PASSES + (int)(ofox_sockets_count(&e->traffic.sockets) / EVENTS);
  int found, reads = 0;
  double now = ofox_clocks_now();
  while (is_late(e, now) && e->late < enough) {
    if (reads > MOST_READS)
      return -INFINITY;
    take(e, 0, EVENTS, &found);
    if (found == 0)
      break;
    e->late++;
    reads += found;
    now = ofox_clocks_now();
  }
  e->late = 0;
  return now;
}

/* Resumes transfers whose reader was slow. */
static void go_on(struct ofox_engine *e) {
  struct ofox_transfer *t, *next;
  CURLcode rc;
  if (!e->traffic.resume)
    return;
  e->traffic.resume = 0;
  for (t = e->traffic.first; t != NULL; t = next) {
    next = t->next;
    if (t->call == NULL || !ofox_call_is_paused(t->call) ||
        !ofox_call_has_room(t->call))
      continue;
    ofox_call_pause(t->call, 0, ofox_clocks_now());
    ofox_transfer_expect(t);
    rc = curl_easy_pause(t->easy, CURLPAUSE_CONT);
    if (rc != CURLE_OK)
      ofox_transfers_ended(t, rc);
  }
}

/*
** A limit that expired while the program was away is extended by that time,
** once per attempt: the peer may be waiting for us, as in a handshake.
*/
static int is_excused(const struct ofox_engine *e, struct ofox_transfer *t,
                      enum ofox_outcome o, double now) {
  if (o == OFOX_OUTCOME_DEADLINE || t->excused || e->away == 0)
    return 0;
  t->excused = 1;
  ofox_call_excuse(t->call, e->away, now);
  return 1;
}

/* Ends a wait, or an attempt whose limit had expired at 'late'. */
static void judge(const struct ofox_engine *e, struct ofox_transfer *t,
                  double now, double late) {
  enum ofox_outcome o = OFOX_OUTCOME_ANSWERED;
  if (t->call == NULL && now >= t->drained_by) {
    ofox_transfers_drop(t);
    return;
  }
  if (t->call != NULL) {
    ofox_call_tick(t->call, t->call->state == OFOX_FLIGHT ? late : now);
    o = ofox_call_expired(t->call, late);
  }
  if (o != OFOX_OUTCOME_ANSWERED && !is_excused(e, t, o, now))
    ofox_transfers_expire(t, o);
  else
    ofox_transfer_expect(t);
}

static void judge_due(struct ofox_engine *e, double now, double late) {
  struct ofox_due_entry *due;
  if (!ofox_dues_begin(&e->traffic.dues, now))
    return;
  while ((due = ofox_dues_take(&e->traffic.dues)) != NULL)
    judge(e, transfer_of(due), now, late);
}

/* The end of a stream that was just read may have arrived by now, and with it
** a free connection for the next call. */
static void settle(struct ofox_engine *e) {
  int found;
  if (e->traffic.draining == 0)
    return;
  ofox_sigpipe_enter(&e->traffic.sigpipe);
  take(e, 0, EVENTS, &found);
  ofox_sigpipe_leave(&e->traffic.sigpipe);
}

/* How long the process was stopped, or busy, before and in a wait of 'seconds'
** that began then; 0: no longer than normal. */
static double time_away(const struct ofox_engine *e, double began,
                        double seconds) {
  double away = fmax(began - e->looked, ofox_clocks_now() - began - seconds);
  return away < AWAY ? 0 : away;
}

int ofox_engine_step(struct ofox_engine *e, double seconds, size_t max) {
  double late, began = ofox_clocks_now();
  int rc, found;
  if (max == 0 || max > EVENTS)
    max = EVENTS;
  ofox_sigpipe_enter(&e->traffic.sigpipe);
  go_on(e);
  seconds = fmin(seconds, ofox_engine_timeout(e));
  rc = take(e, seconds, max, &found);
  e->away = time_away(e, began, seconds);
  ofox_transfers_let_in(&e->traffic);
  late = look_again(e);
  judge_due(e, ofox_clocks_now(), late);
  ofox_guests_timers(&e->guests, ofox_clocks_now());
  ofox_connections_sweep(&e->traffic.connections);
  e->looked = ofox_clocks_now();
  rearm(e);
  ofox_sigpipe_leave(&e->traffic.sigpipe);
  return rc;
}

/* The call may not begin now: it waits, or is done. Returns 0. */
static int put_off(struct ofox_engine *e, struct ofox_transfer *t) {
  if (t->call->state == OFOX_WAIT)
    ofox_transfer_expect(t);
  else
    ofox_transfers_drop(t);
  rearm(e);
  return 0;
}

/* A hedge takes another connection than the attempt that it helps out: that
** one may be what is silent. */
static void keep_apart(struct ofox_call *c) {
  const struct ofox_transfer *other =
      c->twin != NULL ? c->twin->transfer : NULL;
  if (other != NULL && other->shares)
    c->fresh = 1;
}

int ofox_engine_start(struct ofox_engine *e, struct ofox_call *c,
                      const struct ofox_request *r) {
  struct ofox_transfer *t = c->transfer;
  double now =
      ofox_clocks_now(); /* one, so that it may begin if it is admitted */
  CURLcode rc;
  if (e->traffic.first == NULL) /* there was nothing to check */
    e->looked = ofox_clocks_now();
  settle(e);
  if (t != NULL && t->traffic != &e->traffic) { /* of another process */
    ofox_transfers_drop(t);
    t = NULL;
  }
  if (t == NULL)
    t = ofox_transfers_attach(&e->traffic, c);
  if (t == NULL)
    return OFOX_EMEM;
  if (ofox_call_admit(c, now) != 0)
    return put_off(e, t);
  keep_apart(c);
  rc = ofox_curl_options_set(t, r);
  if (rc == CURLE_OUT_OF_MEMORY)
    goto fail;
  ofox_call_start(c, now);
  if (rc != CURLE_OK) { /* not supported by this libcurl */
    ofox_transfers_fail(t, OFOX_OUTCOME_SEND, curl_easy_strerror(rc));
    return 0;
  }
  if (ofox_poller_open(e->traffic.poller) != 0) {
    ofox_transfers_fail(t, OFOX_OUTCOME_NO_DESCRIPTORS, "");
    return 0;
  }
  if (ofox_transfers_admit(t) != 0)
    goto fail;
  ofox_transfer_expect(t);
  rearm(e);
  return 0;
fail:
  ofox_transfers_drop(t);
  return OFOX_EMEM;
}

void ofox_engine_cancel(struct ofox_engine *e, struct ofox_call *c) {
  struct ofox_transfer *t = c->transfer;
  int sent = t != NULL && ofox_transfer_sent(t);
  if (c->host != NULL)
    c->host->detach(c);
  ofox_call_abort(c, OFOX_OUTCOME_CANCELLED, sent, ofox_clocks_now());
  if (e != NULL && ofox_engine_is_ours(e))
    rearm(e);
}

double ofox_engine_timeout(const struct ofox_engine *e) {
  double due = fmin(fmin(ofox_connections_due(&e->traffic.connections),
                         ofox_dues_next(&e->traffic.dues)),
                    fmin(e->alarm, ofox_guests_due(&e->guests)));
  if (e->traffic.resume || ofox_ready_list_any(&e->traffic.news) ||
      ofox_guests_have_news(&e->guests) ||
      (e->traffic.crowd > 0 && e->traffic.connect_turns.moved))
    return 0;
  return fmax(0, due - ofox_clocks_now());
}

void ofox_engine_alarm(struct ofox_engine *e, double at) {
  e->alarm = at;
  rearm(e);
}

unsigned long ofox_engine_checks(const struct ofox_engine *e) {
  return e->traffic.checks;
}

struct ofox_ready_list *ofox_engine_news(struct ofox_engine *e) {
  return &e->traffic.news;
}

struct ofox_guests *ofox_engine_guests(struct ofox_engine *e) {
  return &e->guests;
}

int ofox_engine_pollfd(struct ofox_engine *e, double looks) {
  if (ofox_poller_open(e->traffic.poller) != 0)
    return -1;
  e->traffic.looks = looks;
  show(e);
  return ofox_poller_fd(e->traffic.poller);
}

/* Life */

const char *ofox_engine_curl(void) {
  return curl_version();
}

int ofox_engine_setup(void) {
  if (ofox_forks_watch() != 0)
    return OFOX_EMEM;
  return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : OFOX_EMEM;
}

struct ofox_engine *ofox_engine_new(void) {
  struct ofox_engine *e = calloc(1, sizeof(*e));
  curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  if (e == NULL)
    return NULL;
  ofox_traffic_init(&e->traffic);
  e->alarm = INFINITY;
  e->traffic.one_ca_file =
      info->cainfo != NULL && access(info->cainfo, R_OK) == 0;
  e->traffic.sigpipe.always =
      ofox_sigpipe_raised_by(info->version_num, info->ssl_version);
  ofox_sockets_init(&e->traffic.sockets);
  e->traffic.poller = ofox_poller_new();
  ofox_guests_init(&e->guests, e->traffic.poller, on_guest, e);
  ofox_connections_init(&e->traffic.connections, e->traffic.poller);
  if (e->traffic.poller != NULL &&
      ofox_connections_open(&e->traffic.connections) == 0) {
    /* while there are descriptors; a call reports if there are none */
    ofox_poller_open(e->traffic.poller);
    return e;
  }
  ofox_engine_delete(e);
  return NULL;
}

int ofox_engine_is_ours(const struct ofox_engine *e) {
  return ofox_traffic_is_ours(&e->traffic);
}

void ofox_engine_delete(struct ofox_engine *e) {
  if (e == NULL)
    return;
  ofox_guests_end(&e->guests);
  if (!ofox_engine_is_ours(e)) { /* libcurl's resources are abandoned */
    ofox_transfers_abandon(&e->traffic);
    ofox_sockets_abandon(&e->traffic.sockets);
    ofox_poller_delete(e->traffic.poller);
    return;
  }
  ofox_sigpipe_enter(&e->traffic.sigpipe);
  ofox_transfers_end(&e->traffic);
  ofox_connections_free(&e->traffic.connections);
  ofox_handles_free(&e->traffic.handles);
  ofox_sockets_free(&e->traffic.sockets);
  ofox_buf_free(&e->traffic.limits);
  ofox_poller_delete(e->traffic.poller);
  ofox_sigpipe_leave(&e->traffic.sigpipe);
  free(e);
}
