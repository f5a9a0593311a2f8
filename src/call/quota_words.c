#include "call/quota_words.h"

#include <math.h>

int ofox_quota_words_name_account(const struct ofox_call *c,
                                  enum ofox_source hinted) {
  struct ofox_ratelimit r;
  ofox_headers_ratelimit(&c->response.head, c->wall, &r);
  if (r.remaining_requests == 0 || r.remaining_tokens == 0 || r.remaining == 0)
    return 1;
  if (r.remaining_requests > 0 || r.remaining > 0)
    return 0; /* the account has room */
  if (hinted == OFOX_SOURCE_RESET_REQUESTS ||
      hinted == OFOX_SOURCE_RESET_TOKENS || hinted == OFOX_SOURCE_RESET)
    return 1;
  return c->error->cls == OFOX_CLASS_RATE_LIMIT &&
         ofox_span_eq(ofox_buf_span(&c->error->code), "rate_limit_exceeded");
}

int ofox_quota_words_read(const struct ofox_call *c,
                          struct ofox_pace_words said[OFOX_PACE_UNITS]) {
  struct ofox_ratelimit r;
  /* without a Date of its own, a reset that is a date says nothing here */
  ofox_headers_ratelimit(&c->response.head, NAN, &r);
  said[OFOX_PACE_REQUESTS].limit = r.limit_requests;
  said[OFOX_PACE_REQUESTS].remaining = r.remaining_requests;
  said[OFOX_PACE_REQUESTS].reset = r.reset_requests;
  said[OFOX_PACE_TOKENS].limit = r.limit_tokens;
  said[OFOX_PACE_TOKENS].remaining = r.remaining_tokens;
  said[OFOX_PACE_TOKENS].reset = r.reset_tokens;
  return !(isnan(r.limit_requests) && isnan(r.remaining_requests) &&
           isnan(r.limit_tokens) && isnan(r.remaining_tokens));
}
