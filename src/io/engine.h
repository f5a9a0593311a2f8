/*
** Transfers the bytes of many calls concurrently: libcurl's multi interface
** over one poller. Callbacks of libcurl only feed calls and record events;
** everything else happens in step.
** Knows nothing of Lua, of JSON, or of when a call is retried.
*/
#ifndef OFOX_ENGINE_H
#define OFOX_ENGINE_H

#include "call/call.h"
#include "io/guests.h"
#include "io/request.h"

struct ofox_engine;

/* What libcurl is, and is made of: "libcurl/7.88.1 OpenSSL/3.0.19 ..." */
const char *ofox_engine_curl(void);

int ofox_engine_setup(void); /* once before the first one; 0 or negative */

struct ofox_engine *ofox_engine_new(void); /* NULL: no memory */
/* Detaches all its calls. In a forked child the parent's connections are
** closed without notifying the peers. NULL is fine. */
void ofox_engine_delete(struct ofox_engine *e);
/* Created by this process? A forked child must create its own. */
int ofox_engine_is_ours(const struct ofox_engine *e);

/* READY -> FLIGHT. 0, or OFOX_EMEM; the call may be DONE already. */
int ofox_engine_start(struct ofox_engine *e, struct ofox_call *c,
                      const struct ofox_request *r);
/* Ends the call as cancelled, or forgets it. */
void ofox_engine_cancel(struct ofox_engine *e, struct ofox_call *c);

/*
** Waits at most 'seconds' for something to happen and serves all calls; reads
** at most 'max' sockets (0: no limit).
** 0, or -1 if a signal arrived first.
*/
int ofox_engine_step(struct ofox_engine *e, double seconds, size_t max);

/* Seconds until step has something to do without socket activity. */
double ofox_engine_timeout(const struct ofox_engine *e);
/*
** Descriptor that is readable when step has something to do, or -1. Events due
** from 'looks' on need not make it readable, for its loop checks by itself
** then; INFINITY: all do, -INFINITY: none does.
*/
int ofox_engine_pollfd(struct ofox_engine *e, double looks);
/* When step must be called in any case; INFINITY: never. */
void ofox_engine_alarm(struct ofox_engine *e, double at);
/* How often a transfer was asked when it is due, for the specs. */
unsigned long ofox_engine_checks(const struct ofox_engine *e);
/* Notes of the calls that have news and are waited for. */
struct ofox_ready_list *ofox_engine_news(struct ofox_engine *e);
/* Whose sockets and moments step serves, too. */
struct ofox_guests *ofox_engine_guests(struct ofox_engine *e);

#endif
