/*
** The answer to one attempt as it comes in: headers, and a body that is
** either kept whole or read as events.
** Knows nothing of time, of other attempts, or of what a failure leads to.
*/
#ifndef OFOX_RESPONSE_H
#define OFOX_RESPONSE_H

#include "call/event_queue.h"
#include "call/verdict.h"

/* Bytes of a body, unless the program says otherwise. */
#define OFOX_MAX_RESPONSE (64 * 1024 * 1024)

struct ofox_response_config {
  enum ofox_expect expect;
  size_t max_body;
  int streams; /* it is wanted as events */
  enum ofox_dialect dialect;
  size_t max_event; /* bytes of one */
};

struct ofox_response {
  const struct ofox_response_config *config;
  struct ofox_headers head;
  struct ofox_buf body;                  /* unless it comes as events */
  const struct ofox_event_queue *events; /* never NULL */
  struct ofox_event_queue *queue; /* the same; NULL: there was no event yet */
  enum ofox_verdict_kind kind;    /* of the body */
  enum ofox_outcome stopped;      /* why no more was wanted, else ANSWERED */
  int no_memory;
  size_t _blank; /* bytes that the body is known to begin with blanks for */
};

/* 'config' outlives it. */
void ofox_response_init(struct ofox_response *r,
                        const struct ofox_response_config *config);
void ofox_response_free(struct ofox_response *r);  /* zeroed or twice: fine */
void ofox_response_clear(struct ofox_response *r); /* for another attempt */
/* None of the events that came will be taken. */
void ofox_response_drop_events(struct ofox_response *r);

/* Is the final status in, and is it no success? */
int ofox_response_is_failure(const struct ofox_response *r);

/* A header line, a piece of the body. 0, or negative: no more is wanted. */
int ofox_response_head(struct ofox_response *r, const char *p, size_t n);
int ofox_response_body(struct ofox_response *r, const char *p, size_t n);

/*
** The transfer is over, in 'outcome': what does its answer mean? Where it
** came as events, those not taken yet can still be.
*/
struct ofox_verdict ofox_response_judge(struct ofox_response *r,
                                        enum ofox_outcome outcome);

#endif
