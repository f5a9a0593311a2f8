#define _GNU_SOURCE
#include "io/transfers.h"

#include <math.h>
#include <stdlib.h>

#include <unistd.h>

#include "call/failure.h"
#include "io/clocks.h"
#include "io/curl_codes.h"
#include "io/form.h"

/* Ending */

static void leave_door(struct ofox_transfer *t) {
  t->traffic->crowd -= t->crowded && t->pool == NULL;
  t->crowded = 0;
  ofox_connect_turns_leave(&t->traffic->connect_turns, t->destination, t);
  t->destination = NULL;
}

/* Can its handle be kept configured? Not if libcurl was interrupted, or may
** remember a failed login. */
static int is_clean(const struct ofox_transfer *t) {
  int status = t->call != NULL ? ofox_call_headers(t->call)->status : 200;
  return t->whole && status != 401 && status != 407;
}

static void park(struct ofox_transfer *t, int keep) {
  ofox_handles_park(&t->traffic->handles, t->handle, keep);
  t->handle = NULL;
}

/* The form will not be sent again. */
static void end_form(struct ofox_transfer *t) {
  if (t->handle == NULL || !ofox_traffic_is_ours(t->traffic))
    return;
  park(t, 0); /* which lets go of it */
  curl_mime_free(t->mime);
  t->mime = NULL;
}

/*
** Detaches the handle from the wire: a connection in mid-transfer is closed.
** One that survives, but let it wait in vain for 'patience' seconds, takes no
** new transfers.
*/
static void stop(struct ofox_transfer *t, double patience) {
  struct ofox_traffic *w = t->traffic;
  struct ofox_hold socket = t->socket;
  int silent;
  if (t->easy == NULL)
    return;
  if (!ofox_traffic_is_ours(w)) { /* abandoned, see ofox_transfers_abandon */
    t->easy = NULL;
    ofox_content_coding_free(&t->coding);
    return;
  }
  silent = ofox_transfer_is_silent(t, patience, ofox_clocks_now());
  ofox_sigpipe_enter(&w->sigpipe);
  leave_door(t);
  if (t->limit > 0)
    ofox_traffic_unlimit(w, t->limit);
  t->limit = 0;
  if (t->pool != NULL)
    ofox_pool_remove(t->pool, t->easy);
  ofox_sockets_release(&w->sockets, &t->socket,
                       t->call != NULL ? ofox_call_headers(t->call)->version
                                       : t->version);
  if (silent && ofox_sockets_silence(&w->sockets, &socket))
    ofox_connections_leave(&w->connections);
  if (t->form != NULL)
    ofox_form_close(t->form);
  else
    park(t, is_clean(t));
  ofox_sigpipe_leave(&w->sigpipe);
  t->easy = NULL;
  t->pool = NULL;
  ofox_content_coding_free(&t->coding);
}

static void drop(struct ofox_transfer *t, double patience) {
  struct ofox_traffic *w = t->traffic;
  stop(t, patience);
  end_form(t);
  if (t->call != NULL)
    ofox_call_let_go(t->call);
  else
    w->draining--;
  *t->link = t->next;
  *(t->next != NULL ? &t->next->link : &w->end) = t->link;
  ofox_dues_leave(&t->due);
  free(t);
}

void ofox_transfers_drop(struct ofox_transfer *t) {
  drop(t, INFINITY);
}

/* The least patience before a connection is considered at fault: none where
** another attempt was faster. */
static void detach(struct ofox_call *c) {
  drop(c->transfer, c->left ? 0 : c->config->limits.connect_timeout);
}

/* There is room for the events of a paused transfer. */
static void resume(struct ofox_call *c) {
  struct ofox_traffic *w = ((struct ofox_transfer *)c->transfer)->traffic;
  w->resume = 1;
  if (w->looks > -INFINITY && ofox_traffic_is_ours(w))
    ofox_poller_arm(w->poller, 0);
}

/* The call is due at another moment. */
static void moved(struct ofox_call *c) {
  struct ofox_transfer *t = c->transfer;
  struct ofox_traffic *w = t->traffic;
  ofox_transfer_expect(t);
  if (w->looks > -INFINITY && ofox_traffic_is_ours(w))
    ofox_poller_arm(w->poller, 0);
}

static const struct ofox_call_host HOST = {detach, resume, moved};

struct ofox_transfer *ofox_transfers_attach(struct ofox_traffic *w,
                                            struct ofox_call *c) {
  struct ofox_transfer *t = calloc(1, sizeof(*t));
  if (t == NULL)
    return NULL;
  t->traffic = w;
  t->call = c;
  t->link = w->end;
  *w->end = t;
  w->end = &t->next;
  ofox_dues_arrive(&w->dues, &t->due);
  c->transfer = t;
  c->host = &HOST;
  ofox_note_drop(&c->note);
  c->note.list = &w->news;
  return t;
}

/* 'patience': see stop; 0 if it ran out of time. */
static void finish(struct ofox_transfer *t, enum ofox_outcome outcome,
                   const char *detail, double patience) {
  struct ofox_call *c = t->call;
  int sent = ofox_transfer_sent(t);
  if (outcome != OFOX_OUTCOME_ANSWERED)
    ofox_connect_turns_fail(t->destination, t);
  stop(t, patience);
  if (c == NULL) {
    drop(t, INFINITY);
    return;
  }
  ofox_call_end(c, outcome, sent, ofox_span_of(detail), ofox_clocks_now(),
                ofox_clocks_wall());
  if (t->form != NULL && t->form->outcome == outcome)
    ofox_failure_param(c, ofox_form_param(t->form));
  ofox_transfer_expect(t);
  if (c->state == OFOX_DONE)
    drop(t, INFINITY);
}

void ofox_transfers_fail(struct ofox_transfer *t, enum ofox_outcome outcome,
                         const char *detail) {
  finish(t, outcome, detail, INFINITY);
}

void ofox_transfers_expire(struct ofox_transfer *t,
                           enum ofox_outcome outcome) {
  finish(t, outcome, "", 0);
}

/* Starting */

static int admit(struct ofox_transfer *t, long limit) {
  struct ofox_traffic *w = t->traffic;
  if (ofox_connections_open(&w->connections) != 0)
    return OFOX_EMEM;
  ofox_connections_limit(&w->connections, limit);
  t->pool = ofox_connections_add(&w->connections, t->easy);
  return t->pool == NULL ? OFOX_EMEM : 0;
}

int ofox_transfers_admit(struct ofox_transfer *t) {
  long limit = ofox_traffic_least_limit(t->traffic);
  if (limit > 0)
    ofox_call_queue(t->call);
  return admit(t, limit);
}

/* Nothing was sent: start over. */
static void start_over(struct ofox_transfer *t) {
  t->sends = t->stray = t->crowded = 0;
  t->detail[0] = '\0';
  if (admit(t, ofox_traffic_least_limit(t->traffic)) != 0)
    ofox_transfers_fail(t, OFOX_OUTCOME_SEND, "");
}

static void take_out(struct ofox_transfer *t) {
  ofox_pool_remove(t->pool, t->easy);
  t->pool = NULL;
}

void ofox_transfers_ended(struct ofox_transfer *t, CURLcode rc) {
  enum ofox_outcome outcome = ofox_curl_codes_outcome(t, rc);
  t->whole = rc == CURLE_OK;
  if (t->call != NULL && t->crowded) { /* see ofox_transfers_let_in */
    take_out(t);
    t->traffic->crowd++;
  }
  else if (t->call != NULL && t->stray) {
    /* the connection was unusable: take a new one */
    long fresh = t->pool == t->traffic->connections.open;
    take_out(t);
    curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, fresh);
    t->handle->fresh = (int)fresh;
    start_over(t);
  }
  else {
    ofox_transfers_fail(t, outcome, t->detail);
  }
}

/* The rest starts in a later step, to bound its cost. */
#define AT_ONCE 100

void ofox_transfers_let_in(struct ofox_traffic *w) {
  struct ofox_transfer *t, *next;
  int n = 0;
  if (w->crowd == 0 || !w->connect_turns.moved)
    return;
  w->connect_turns.moved = 0;
  for (t = w->first; t != NULL && n < AT_ONCE; t = next) {
    next = t->next;
    if (!t->crowded || t->destination->opener != NULL)
      continue;
    w->crowd--;
    n++;
    start_over(t);
  }
}

/*
** libcurl had no memory to record what it waits for, and does not say for
** which transfer: some transfer would never be notified again, and the next on
** its socket would crash libcurl 7.88. So all end.
*/
void ofox_transfers_start_anew(struct ofox_traffic *w) {
  struct ofox_transfer *t, *next;
  for (t = w->first; t != NULL; t = next) {
    next = t->next;
    if (t->easy == NULL)
      continue;
    if (t->call != NULL)
      ofox_call_starve(t->call);
    ofox_transfers_fail(t, OFOX_OUTCOME_SEND, "");
  }
  ofox_connections_leave(&w->connections);
  ofox_connections_sweep(&w->connections);
}

void ofox_transfers_abandon(struct ofox_traffic *w) {
  struct ofox_transfer *t;
  for (t = w->first; t != NULL; t = t->next) {
    if (t->call != NULL)
      ofox_call_let_go(t->call);
  }
  ofox_ready_list_clear(&w->news);
}

void ofox_transfers_end(struct ofox_traffic *w) {
  struct ofox_transfer *t, *next;
  for (t = w->first; t != NULL; t = next) {
    next = t->next;
    drop(t, INFINITY);
  }
  ofox_ready_list_clear(&w->news);
}
