#define _POSIX_C_SOURCE 200809L /* sigset_t */
#include "redis/connection.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/forks.h"
#include "io/sigpipe.h"
#include "redis/command.h"
#include "redis/greeting.h"
#include "redis/link.h"
#include "redis/lookup.h"
#include "redis/pauses.h"

#define MOST 1024      /* commands that have not ended, or not been answered */
#define MOST_SHOWS 3   /* times that a command shows its script's text */
#define TO_CONNECT 5.0 /* seconds, with lookup, TLS and greeting */
#define SILENCE 1.0    /* seconds beyond a timeout without any answer */

enum state { OFF, LOOKUP, CONNECTING, GREETING, READY, CLOSED };

struct ofox_redis {
  struct ofox_guest guest; /* first: it is found by it */
  struct ofox_redis_link link;
  struct ofox_redis_url url;
  struct ofox_redis_tls *tls;
  double timeout;
  enum state state;
  struct ofox_redis_pauses pauses;
  char why[160]; /* there is no connection; it may be the server's text */
  enum ofox_redis_outcome how; /* ... and commands end like that */
  struct ofox_lookup *lookup;
  size_t tried; /* addresses of it */
  double now;   /* of this step */
  double begun; /* the attempt to connect */
  double heard; /* the latest answer, or the first question after it */
  struct ofox_redis_greeting greeting;
  struct ofox_redis_scripts scripts;
  struct ofox_redis_commands pending, ended;
  size_t count;       /* commands that are not freed */
  unsigned long sent; /* on this connection */
  struct ofox_buf scratch;
  struct ofox_sigpipe sigpipe;
  unsigned long forks; /* before it was made */
};

/* Commands */

static void release(struct ofox_redis *r, struct ofox_redis_command *c) {
  if (!c->is_sent && c->is_taken)
    r->count--;
  ofox_redis_command_release(c);
}

/* It has ended: it waits to be taken. */
static void end(struct ofox_redis *r, struct ofox_redis_command *c,
                enum ofox_redis_outcome o, const char *problem) {
  c->outcome = o;
  if (problem != NULL)
    snprintf(c->problem, sizeof(c->problem), "%s", problem);
  ofox_redis_commands_remove(&r->pending, c);
  ofox_redis_commands_add(&r->ended, c);
  ofox_guest_tell(&r->guest);
}

static void end_all(struct ofox_redis *r, enum ofox_redis_outcome o,
                    const char *problem) {
  while (r->pending.first != NULL)
    end(r, r->pending.first, o, problem);
}

static void expect(struct ofox_redis *r) {
  const struct ofox_redis_command *c = r->pending.first;
  double due = c != NULL ? c->deadline : INFINITY;
  if (r->state == LOOKUP || r->state == CONNECTING || r->state == GREETING)
    due = fmin(due, r->begun + TO_CONNECT);
  if (r->state == READY && r->link.unanswered > 0)
    due = fmin(due, r->heard + r->timeout + SILENCE);
  ofox_guest_expect(&r->guest, due);
}

static int send_command(struct ofox_redis *r, struct ofox_redis_command *c,
                        int with_text) {
  int rc;
  ofox_buf_clear(&r->scratch);
  rc = ofox_redis_command_write(c, with_text, &r->scratch);
  if (rc != 0)
    return rc;
  if (r->link.unanswered == 0)
    r->heard = r->now;
  if (ofox_redis_link_send(&r->link, ofox_buf_span(&r->scratch), &c->asked) !=
      0)
    return OFOX_EMEM;
  c->is_sent = 1;
  c->nth = ++r->sent;
  if (with_text) {
    c->shows++;
    c->script->shown = c->nth;
  }
  return 0;
}

static void send_or_end(struct ofox_redis *r, struct ofox_redis_command *c,
                        int with_text) {
  if (send_command(r, c, with_text) != 0)
    end(r, c, OFOX_REDIS_NO_MEMORY, "not enough memory to send it");
}

static int begins(const redisReply *reply, const char *word) {
  size_t n = strlen(word);
  return reply->type == REDIS_REPLY_ERROR && reply->len >= n &&
         memcmp(reply->str, word, n) == 0;
}

/* The server does not have the script: it is shown the text, unless it was
** shown it since. */
static int is_shown_again(struct ofox_redis *r, struct ofox_redis_command *c,
                          const redisReply *reply) {
  if (!begins(reply, "NOSCRIPT") || c->shows >= MOST_SHOWS)
    return 0;
  send_or_end(r, c, c->script->shown < c->nth);
  return 1;
}

static void on_answer(struct ofox_redis_asked *a, const redisReply *reply) {
  struct ofox_redis_command *c = (struct ofox_redis_command *)(void *)a;
  struct ofox_redis *r = c->user;
  c->is_sent = 0;
  if (reply != NULL) {
    r->heard = r->now;
    ofox_redis_pauses_succeed(&r->pauses);
  }
  if (c->outcome != OFOX_REDIS_PENDING) { /* too late */
    release(r, c);
    return;
  }
  if (reply == NULL) /* 'why' is known once the link has ended */
    return;
  if (is_shown_again(r, c, reply))
    return;
  if (ofox_redis_reply_add(&c->reply, reply) == 0)
    end(r, c, OFOX_REDIS_REPLY, NULL);
  else
    end(r, c, OFOX_REDIS_NO_MEMORY, "not enough memory for the reply");
}

/* Connecting */

static void go_off(struct ofox_redis *r, enum ofox_redis_outcome how,
                   enum ofox_redis_outcome unsent) {
  struct ofox_redis_command *c, *next;
  ofox_redis_link_close(&r->link, r->why);
  ofox_guest_watch(&r->guest, -1, 0);
  ofox_lookup_delete(r->lookup);
  r->lookup = NULL;
  r->state = OFF;
  r->how = unsent;
  for (c = r->pending.first; c != NULL; c = next) {
    next = c->_next;
    end(r, c, c->nth > 0 ? how : unsent, r->why);
  }
}

static void fail(struct ofox_redis *r, const char *why,
                 enum ofox_redis_outcome unsent) {
  if (why != r->why)
    snprintf(r->why, sizeof(r->why), "%s", why);
  go_off(r, OFOX_REDIS_LOST, unsent);
}

static void send_waiting(struct ofox_redis *r) {
  struct ofox_redis_command *c, *next;
  r->state = READY;
  for (c = r->pending.first; c != NULL; c = next) {
    next = c->_next;
    send_or_end(r, c, 0);
  }
}

static void greet(struct ofox_redis *r) {
  r->state = GREETING;
  r->sent = 0;
  ofox_lookup_delete(r->lookup);
  r->lookup = NULL;
  ofox_redis_scripts_unsee(&r->scripts);
  if (ofox_redis_greeting_send(&r->greeting, &r->link, &r->url) != 0)
    fail(r, "not enough memory to connect", OFOX_REDIS_DOWN);
}

static void open_link(struct ofox_redis *r, const char *where, int port) {
  r->state = CONNECTING;
  r->how = OFOX_REDIS_DOWN;
  if (ofox_redis_link_open(&r->link, where, port) != 0)
    fail(r, r->link.why, OFOX_REDIS_DOWN);
}

/* The next address of the lookup, whose end was found; 0: there is none. */
static int open_next(struct ofox_redis *r) {
  char address[OFOX_LOOKUP_SIZE];
  const char *problem;
  while (r->lookup != NULL) {
    int found = ofox_lookup_take(r->lookup, r->tried++, address, &problem);
    if (found <= 0)
      return 0;
    r->state = CONNECTING;
    r->how = OFOX_REDIS_DOWN;
    if (ofox_redis_link_open(&r->link, address, r->url.port) == 0)
      return 1;
  }
  return 0;
}

static void look_up(struct ofox_redis *r) {
  const char *problem = "";
  char address[OFOX_LOOKUP_SIZE];
  int found = ofox_lookup_take(r->lookup, 0, address, &problem);
  if (found == 0)
    return;
  ofox_guest_watch(&r->guest, -1, 0);
  r->tried = 0;
  if (found < 0)
    fail(r, problem, OFOX_REDIS_DOWN);
  else if (!open_next(r))
    fail(r, r->link.why, OFOX_REDIS_DOWN);
}

static void connect_now(struct ofox_redis *r) {
  const char *host = r->url.host.p;
  r->begun = r->now;
  r->why[0] = '\0';
  r->how = OFOX_REDIS_DOWN;
  ofox_redis_pauses_begin(&r->pauses, r->now);
  if (r->url.path.n > 0) {
    open_link(r, r->url.path.p, 0);
    return;
  }
  if (ofox_lookup_is_address(host)) {
    open_link(r, host, r->url.port);
    return;
  }
  r->state = LOOKUP;
  r->lookup = ofox_lookup_new(host);
  if (r->lookup == NULL ||
      ofox_guest_watch(&r->guest, ofox_lookup_fd(r->lookup), OFOX_POLL_IN) !=
          0)
    fail(r, "the host could not be looked up", OFOX_REDIS_DOWN);
}

/* Steps */

/* The link has ended by itself. */
static void lose(struct ofox_redis *r) {
  if (r->state != CONNECTING || !open_next(r))
    fail(r, r->link.why, OFOX_REDIS_DOWN);
}

static void look_at_clock(struct ofox_redis *r) {
  struct ofox_redis_command *c;
  while ((c = r->pending.first) != NULL && c->deadline <= r->now)
    end(r, c, OFOX_REDIS_TIMEOUT, "the server has not answered in time");
  if ((r->state == LOOKUP || r->state == CONNECTING || r->state == GREETING) &&
      r->now >= r->begun + TO_CONNECT)
    fail(r, "connecting has taken too long", OFOX_REDIS_DOWN);
  if (r->state == READY && r->link.unanswered > 0 &&
      r->now >= r->heard + r->timeout + SILENCE)
    fail(r, "the server is silent", OFOX_REDIS_DOWN);
}

static void serve_link(struct ofox_redis *r, int what) {
  ofox_redis_link_serve(&r->link, what);
  if (r->state == GREETING && r->greeting.refused) {
    fail(r, r->greeting.why, OFOX_REDIS_REFUSED);
    return;
  }
  if (!ofox_redis_link_is_open(&r->link)) {
    lose(r);
    return;
  }
  if (r->state == CONNECTING && r->link.is_up)
    greet(r);
  if (r->state == GREETING && r->greeting.left == 0)
    send_waiting(r);
}

/* An answer that has arrived is read before the clock is looked at: a process
** that was stopped does not lose it. */
static void serve(struct ofox_guest *g, int what, double now) {
  struct ofox_redis *r = (struct ofox_redis *)(void *)g;
  r->now = now;
  ofox_sigpipe_enter(&r->sigpipe);
  if (what == 0 && (r->state == READY || r->state == GREETING))
    what = OFOX_POLL_IN;
  if (r->state == LOOKUP)
    look_up(r);
  else if (what != 0 && ofox_redis_link_is_open(&r->link))
    serve_link(r, what);
  look_at_clock(r);
  expect(r);
  ofox_sigpipe_leave(&r->sigpipe);
}

/* Life */

struct ofox_redis *ofox_redis_new(struct ofox_redis_url *url,
                                  const char *ca_file, double timeout,
                                  struct ofox_guests *host, char *problem,
                                  size_t size) {
  struct ofox_redis *r = calloc(1, sizeof(*r));
  snprintf(problem, size, "not enough memory");
  if (r == NULL)
    return NULL;
  if (url->tls) {
    r->tls = ofox_redis_tls_new(url->host.p, ca_file, problem, size);
    if (r->tls == NULL) {
      free(r);
      return NULL;
    }
  }
  r->url = *url;
  memset(url, 0, sizeof(*url));
  r->timeout = timeout;
  r->link.guest = &r->guest;
  r->link.tls = r->tls;
  r->guest.serve = serve;
  ofox_redis_commands_init(&r->pending);
  ofox_redis_commands_init(&r->ended);
  ofox_buf_init(&r->scratch, (size_t)-1);
  r->sigpipe.always = 1; /* hiredis writes as it comes */
  r->forks = ofox_forks_passed();
  ofox_guest_join(host, &r->guest);
  return r;
}

int ofox_redis_has_tls(void) {
  return ofox_redis_tls_is_there();
}

int ofox_redis_is_ours(const struct ofox_redis *r) {
  return r->forks == ofox_forks_passed();
}

/* Closes the child's copy of the socket, of which the server hears nothing. */
static void abandon(struct ofox_redis *r) {
  ofox_guest_abandon(&r->guest);
  ofox_lookup_abandon(r->lookup);
  r->lookup = NULL;
  ofox_redis_link_close(&r->link, "");
  r->state = CLOSED;
  end_all(r, OFOX_REDIS_FORKED,
          "the connection belongs to the process that was forked");
}

void ofox_redis_close(struct ofox_redis *r) {
  if (r->state == CLOSED)
    return;
  if (!ofox_redis_is_ours(r)) {
    abandon(r);
    return;
  }
  snprintf(r->why, sizeof(r->why), "%s", "the connection was closed");
  ofox_sigpipe_enter(&r->sigpipe);
  go_off(r, OFOX_REDIS_CLOSED, OFOX_REDIS_CLOSED);
  ofox_sigpipe_leave(&r->sigpipe);
  r->state = CLOSED;
  expect(r);
}

void ofox_redis_delete(struct ofox_redis *r) {
  if (r == NULL)
    return;
  ofox_redis_close(r);
  while (r->ended.first != NULL)
    ofox_redis_pop(r);
  ofox_guest_leave(&r->guest);
  ofox_redis_scripts_free(&r->scripts);
  ofox_redis_tls_delete(r->tls);
  ofox_redis_url_free(&r->url);
  ofox_buf_free(&r->scratch);
  free(r);
}

const struct ofox_note *ofox_redis_note(const struct ofox_redis *r) {
  return &r->guest.note;
}

const char *ofox_redis_state(const struct ofox_redis *r) {
  switch (r->state) {
  case OFF:
    return "off";
  case READY:
    return "ready";
  case CLOSED:
    return "closed";
  default:
    return "connecting";
  }
}

/* Use */

static void begin(struct ofox_redis *r, struct ofox_redis_command *c) {
  if (r->state == OFF && r->now >= r->pauses.until)
    connect_now(r); /* all that is pending has ended, if that failed */
  else if (r->state == OFF)
    end(r, c, r->how, r->why);
  else if (r->state == READY)
    send_or_end(r, c, 0);
}

int ofox_redis_eval(struct ofox_redis *r, struct ofox_span script,
                    struct ofox_span rest, size_t count, unsigned long ticket,
                    double now) {
  struct ofox_redis_command *c;
  if (!ofox_redis_is_ours(r))
    ofox_redis_close(r);
  c = ofox_redis_command_new(&r->scripts, script, rest, count);
  if (c == NULL)
    return OFOX_EMEM;
  c->asked.answered = on_answer;
  c->user = r;
  c->ticket = ticket;
  c->deadline = now + r->timeout;
  r->now = now;
  ofox_redis_commands_add(&r->pending, c);
  r->count++;
  if (!ofox_redis_is_ours(r))
    end(r, c, OFOX_REDIS_FORKED,
        "the connection belongs to the process that was forked");
  else if (r->state == CLOSED)
    end(r, c, OFOX_REDIS_CLOSED, "the connection was closed");
  else if (r->count > MOST)
    end(r, c, OFOX_REDIS_FULL, "too many scripts are waiting for the server");
  else
    begin(r, c);
  expect(r);
  return 0;
}

int ofox_redis_peek(struct ofox_redis *r, struct ofox_redis_result *out) {
  const struct ofox_redis_command *c;
  if (!ofox_redis_is_ours(r))
    ofox_redis_close(r);
  c = r->ended.first;
  if (c == NULL)
    return 0;
  out->ticket = c->ticket;
  out->reply = c->outcome == OFOX_REDIS_REPLY ? &c->reply : NULL;
  out->code = ofox_redis_outcome_name(c->outcome);
  out->problem = c->problem;
  return 1;
}

void ofox_redis_pop(struct ofox_redis *r) {
  struct ofox_redis_command *c = r->ended.first;
  ofox_redis_commands_remove(&r->ended, c);
  c->is_taken = 1;
  release(r, c);
  if (r->ended.first != NULL)
    ofox_guest_tell(&r->guest);
}

int ofox_redis_describe(const struct ofox_redis *r, struct ofox_buf *out) {
  int is_unix = r->url.path.n > 0;
  int rc = ofox_buf_addspan(
      out, ofox_buf_span(is_unix ? &r->url.path : &r->url.host));
  if (rc == 0 && !is_unix)
    rc = ofox_buf_addc(out, ':');
  if (rc == 0 && !is_unix)
    rc = ofox_buf_addint(out, r->url.port);
  if (rc == 0)
    rc = ofox_buf_adds(out, is_unix ? "?db=" : "/");
  return rc != 0 ? rc : ofox_buf_addint(out, r->url.database);
}
