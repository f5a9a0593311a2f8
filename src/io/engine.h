/*
** Moves the bytes of many calls at once: libcurl's multi interface over one
** poller. Callbacks of libcurl only feed calls and take notes; everything
** else happens in step.
** Knows nothing of Lua, of JSON, or of when a call is tried again.
*/
#ifndef OFOX_ENGINE_H
#define OFOX_ENGINE_H

#include "call/call.h"
#include "io/request.h"

struct ofox_engine;

/* What libcurl is, and is made of: "libcurl/7.88.1 OpenSSL/3.0.19 ..." */
const char *ofox_engine_curl(void);

int ofox_engine_setup(void); /* once before the first; 0 or negative */

struct ofox_engine *ofox_engine_new(void); /* NULL: no memory */
/* Lets go of all its calls. In a forked child the parent's connections are
** closed without a word to the peers. NULL is fine. */
void ofox_engine_delete(struct ofox_engine *e);
/* Made by this process? A forked child must make its own. */
int ofox_engine_is_ours(const struct ofox_engine *e);

/* READY -> FLIGHT. 0, or OFOX_EMEM; the call may be DONE at once. */
int ofox_engine_start(struct ofox_engine *e, struct ofox_call *c,
                      const struct ofox_request *r);
/* Ends the call as cancelled, or forgets it. */
void ofox_engine_cancel(struct ofox_engine *e, struct ofox_call *c);

/*
** Waits at most 'seconds' for something to happen and serves all calls; no
** more than 'max' sockets are read (0: as many as speak).
** 0, or -1 when a signal came first.
*/
int ofox_engine_step(struct ofox_engine *e, double seconds, size_t max);

/* Seconds until step has something to do although no socket speaks. */
double ofox_engine_timeout(const struct ofox_engine *e);
/*
** Descriptor that is readable when step has something to do, or -1. Moments
** from 'looks' on need not show, for its loop looks by itself then; INFINITY:
** all do, -INFINITY: none does.
*/
int ofox_engine_pollfd(struct ofox_engine *e, double looks);
/* The moment at which step is wanted whatever happens; INFINITY: none. */
void ofox_engine_alarm(struct ofox_engine *e, double at);
/* Notes of the calls that have something new and are waited for. */
struct ofox_ready_list *ofox_engine_news(struct ofox_engine *e);

#endif
