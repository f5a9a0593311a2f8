/*
** The answer to one attempt as it is received: headers, and a body that is
** either kept whole or read as events.
** Knows nothing of time, of other attempts, or of the consequences of failure.
*/
#ifndef OFOX_RESPONSE_H
#define OFOX_RESPONSE_H

#include "call/event_queue.h"
#include "call/verdict.h"

/* Default limit of a body in bytes. */
#define OFOX_MAX_RESPONSE (64 * 1024 * 1024)

struct ofox_response_config {
  enum ofox_expect expect;
  const struct ofox_dialect *answer; /* ANSWER: its dialect, else NULL */
  size_t max_body;
  int streams;                        /* events are requested */
  const struct ofox_dialect *dialect; /* of the events */
  size_t max_event;                   /* bytes of one */
};

struct ofox_response {
  const struct ofox_response_config *config;
  struct ofox_headers head;
  struct ofox_buf body;                  /* unless it arrives as events */
  const struct ofox_event_queue *events; /* never NULL */
  struct ofox_event_queue *queue;        /* the same; NULL: no event yet */
  enum ofox_verdict_kind kind;           /* of the body */
  enum ofox_outcome stopped;        /* why reading stopped, else ANSWERED */
  enum ofox_json_stream_kind texts; /* the body is one of them */
  int no_memory;
  size_t _blank; /* leading blanks of the body, as far as known */
};

/* 'config' outlives it. */
void ofox_response_init(struct ofox_response *r,
                        const struct ofox_response_config *config);
void ofox_response_free(struct ofox_response *r);  /* idempotent */
void ofox_response_clear(struct ofox_response *r); /* for another attempt */
/* Discards the events received. */
void ofox_response_drop_events(struct ofox_response *r);

/* Has the final status arrived, and is it an error? */
int ofox_response_is_failure(const struct ofox_response *r);

/* A header line, a piece of the body. 0, or negative: stop reading. */
int ofox_response_head(struct ofox_response *r, const char *p, size_t n);
int ofox_response_body(struct ofox_response *r, const char *p, size_t n);

/*
** The transfer has ended, in 'outcome': determines what its answer means. If
** it arrived as events, those not taken yet can still be taken.
*/
struct ofox_verdict ofox_response_judge(struct ofox_response *r,
                                        enum ofox_outcome outcome);

#endif
