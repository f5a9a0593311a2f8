/*
** What retries may cost: an account's bucket of tokens, which retries empty
** and successes fill. While a service fails for all, the bucket is soon empty,
** and calls end with the error in hand instead of adding to its load.
** Knows nothing of time or of whether a retry makes sense.
*/
#ifndef OFOX_BUDGET_H
#define OFOX_BUDGET_H

struct ofox_budget_rates {
  int capacity;      /* and what is in it at first */
  int retry;         /* the price of a retry */
  int after_timeout; /* its price where the attempt before timed out */
  int success;       /* what a call brings that needed no retry */
};

/* 500; 5, 10; 1. */
extern const struct ofox_budget_rates ofox_budget_standard;

struct ofox_budget {
  struct ofox_budget_rates rates;
  int left;
};

/* Rates below 0 count as 0. */
void ofox_budget_init(struct ofox_budget *b,
                      const struct ofox_budget_rates *rates);

/* 1: paid, and '*price' (if given) is what; 0: there is not enough, and
** nothing was taken. */
int ofox_budget_pay(struct ofox_budget *b, int after_timeout, int *price);

/* Gives a price back: of a retry that was not sent after all. */
void ofox_budget_return(struct ofox_budget *b, int price);

/* An attempt succeeded: a retry gives its own price back; of others, whose
** price is -1, there is the reward. */
void ofox_budget_succeeded(struct ofox_budget *b, int price);

#endif
