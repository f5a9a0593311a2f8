/*
** When the next request may start, also against servers that count in the ways
** servers do. Prints "ok". From the root of the clone:
**
**   make build/ctest/test_pace.ok
*/
#undef NDEBUG
#include "policy/pace.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MANY 4000

static struct ofox_pace p;
static struct ofox_pace_start all[MANY];
static double at[MANY];

static struct ofox_pace_limits none(void) {
  struct ofox_pace_limits l;
  memset(&l, 0, sizeof(l));
  return l;
}

static void begin(struct ofox_pace_limits l) {
  memset(all, 0, sizeof(all));
  ofox_pace_free(&p);
  assert(ofox_pace_init(&p, &l) == 0);
}

static void begin_rpm(double rpm, double burst) {
  struct ofox_pace_limits l = none();
  l.rpm = rpm;
  l.burst = burst;
  begin(l);
}

/* So many starts, each as soon as it may; and each was known before, but for
** what is not kept one by one. */
static void start_all(int n, double now) {
  double known[MANY];
  double grain = p.quotas[0].window._grain / p.quotas[0].rate;
  int i;
  for (i = 0; i < n; i++)
    known[i] = ofox_pace_at(&p, now, (size_t)i, 0, 0);
  for (i = 0; i < n; i++) {
    at[i] = now = ofox_pace_next(&p, now, 0);
    assert(ofox_pace_next(&p, now, 0) == now);
    assert(known[i] < now + 1e-5);
    assert(known[i] > now - (p.quotas[0].window._grain > 1 ? grain : 1e-5));
    ofox_pace_started(&p, &all[i], 0, now);
  }
}

static void test_nothing_given(void) {
  struct ofox_pace_limits l = none();
  int i;
  begin(l);
  for (i = 0; i < MANY; i++) {
    assert(ofox_pace_next(&p, 1, INFINITY) == 1);
    ofox_pace_started(&p, &all[i], 1e30, 1);
  }
  l.rpm = NAN;
  l.tpm = -1;
  l.burst = l.concurrent = INFINITY;
  begin(l);
  assert(ofox_pace_next(&p, 1, NAN) == 1);
  memset(&p, 0, sizeof(p));
  assert(ofox_pace_next(&p, 1, 5) == 1);
}

static void test_rpm(void) {
  int i;
  begin_rpm(20, 0);
  start_all(200, 7);
  assert(at[1] == 7 && at[2] == 10 && at[3] == 13); /* two together */
  for (i = 20; i < 200; i++)
    assert(at[i] >= at[i - 20] + 60);
  assert(at[199] < 7 + 10 * 60);
}

static void test_odd_rpm(void) {
  int i;
  begin_rpm(1, 0);
  start_all(5, 0);
  for (i = 0; i < 5; i++)
    assert(at[i] == 60 * i);
  begin_rpm(0.5, 3);
  start_all(5, 0);
  for (i = 0; i < 5; i++)
    assert(at[i] == 120 * i);
  begin_rpm(1.5, 0); /* one, for two would be more */
  start_all(5, 0);
  for (i = 0; i < 5; i++)
    assert(at[i] == 60 * i);
  begin_rpm(10, 1e9);
  start_all(20, 0);
  assert(at[9] == 0 && at[10] == 60 && at[19] == 60);
  begin_rpm(49, 7);
  start_all(8, 0);
  assert(at[6] == 0 && at[7] > 0);
}

static void test_slack(void) {
  struct ofox_pace_limits l = none();
  l.rpm = l.burst = 5;
  l.slack = 0.5;
  begin(l);
  start_all(6, 0);
  assert(at[4] == 0 && at[5] == 60.5);
}

/* A rate that is too great to be counted one by one. */
static void test_many(void) {
  int i;
  begin_rpm(2000, 1000);
  start_all(MANY, 0);
  for (i = 2000; i < MANY; i++)
    assert(at[i] >= at[i - 2000] + 60);
  assert(at[MANY - 1] < 91);
}

static void test_clocks(void) {
  int i;
  begin_rpm(60, 1);
  ofox_pace_started(&p, &all[0], 0, 100);
  for (i = 0; i < 5000; i++)
    assert(ofox_pace_next(&p, 100, 0) == 101);
  assert(ofox_pace_next(&p, 99, 0) == 101);
  ofox_pace_started(&p, &all[1], 0, 101);
  /* a pause brings no more than the burst */
  assert(ofox_pace_next(&p, 1000, 0) == 1000);
  ofox_pace_started(&p, &all[2], 0, 1000);
  assert(ofox_pace_next(&p, 1000, 0) == 1001);
}

static void test_concurrent(void) {
  struct ofox_pace_limits l = none();
  l.concurrent = 2.5;
  begin(l);
  ofox_pace_started(&p, &all[0], 0, 0);
  assert(ofox_pace_next(&p, 0, 0) == 0);
  ofox_pace_started(&p, &all[1], 0, 0);
  assert(ofox_pace_next(&p, 0, 0) == INFINITY);
  assert(ofox_pace_at(&p, 0, 3, 0, 0) == 0);
  ofox_pace_ended(&p, &all[0]);
  ofox_pace_ended(&p, &all[0]);
  assert(p.in_flight == 1 && ofox_pace_next(&p, 1, 0) == 1);
  ofox_pace_started(&p, &all[1], 0, 1); /* the next attempt of the same call */
  assert(p.in_flight == 1);
}

static void test_tokens(void) {
  struct ofox_pace_limits l = none();
  l.tpm = 6000; /* a hundred a second; 600 together */
  begin(l);
  assert(ofox_pace_next(&p, 0, 600) == 0);
  ofox_pace_started(&p, &all[0], 300, 0);
  assert(ofox_pace_next(&p, 0, 300) == 0);
  assert(ofox_pace_next(&p, 0, 400) == 1);
  assert(ofox_pace_next(&p, 0, 0) == 0);
  assert(ofox_pace_at(&p, 0, 1, 600, 300) == 6);
  /* it used more, and then less, than was guessed */
  ofox_pace_ended(&p, &all[0]);
  ofox_pace_used(&p, &all[0], 1300, 0);
  assert(ofox_pace_next(&p, 0, 100) == 8);
  ofox_pace_started(&p, &all[1], 600, 100);
  assert(ofox_pace_next(&p, 100, 600) == 106);
  ofox_pace_ended(&p, &all[1]);
  ofox_pace_used(&p, &all[1], 100, 101);
  assert(ofox_pace_next(&p, 101, 600) == 101);
  ofox_pace_started(&p, &all[2], 6000, 300);
  assert(ofox_pace_next(&p, 300, 600) == 360);
  ofox_pace_ended(&p, &all[2]);
  ofox_pace_used(&p, &all[2], 100, 301);
  assert(ofox_pace_next(&p, 301, 600) == 301);
}

/* What was used may be known before the end, or long after it, when others
** have started; a failure never says it. It counts once. */
static void test_used(void) {
  struct ofox_pace_limits l = none();
  l.tpm = 6000;
  begin(l);
  ofox_pace_used(&p, &all[0], 500, 0); /* it has not started */
  assert(ofox_pace_next(&p, 0, 600) == 0);
  ofox_pace_started(&p, &all[0], 300, 0);
  ofox_pace_used(&p, &all[0], 600, 0);
  ofox_pace_ended(&p, &all[0]);
  assert(ofox_pace_next(&p, 0, 600) == 6);
  ofox_pace_used(&p, &all[0], 100, 0); /* twice */
  assert(ofox_pace_next(&p, 0, 600) == 6);
  ofox_pace_started(&p, &all[1], 600, 100);
  ofox_pace_ended(&p, &all[1]);
  ofox_pace_started(&p, &all[2], 600, 106);
  ofox_pace_used(&p, &all[1], 200, 106);
  assert(ofox_pace_next(&p, 106, 600) == 108);
  ofox_pace_ended(&p, &all[2]);
  ofox_pace_used(&p, &all[2], NAN, 200);
  ofox_pace_used(&p, &all[2], -1, 200);
  ofox_pace_used(&p, &all[2], 6000, 200);
  assert(ofox_pace_next(&p, 200, 600) > 250);
  /* the next attempt of the same call: the guess of the first one stands */
  ofox_pace_started(&p, &all[3], 600, 400);
  ofox_pace_started(&p, &all[3], 600, 406);
  ofox_pace_used(&p, &all[3], 300, 406);
  assert(p.in_flight == 1 && ofox_pace_next(&p, 406, 600) == 409);
}

/* More than a minute's whole quota passes alone; a guess that is far from the
** truth is forgotten in a minute. */
static void test_too_many_tokens(void) {
  struct ofox_pace_limits l = none();
  l.tpm = 6000;
  begin(l);
  ofox_pace_started(&p, &all[0], 100, 0);
  assert(ofox_pace_next(&p, 0, 1e9) == 60);
  assert(ofox_pace_next(&p, 0, INFINITY) == 60);
  assert(ofox_pace_next(&p, 60, 1e9) == 60);
  ofox_pace_started(&p, &all[1], 1e9, 60);
  assert(ofox_pace_next(&p, 60, 1) == 120);
  ofox_pace_ended(&p, &all[1]);
  ofox_pace_used(&p, &all[1], 1e300, 61);
  assert(ofox_pace_next(&p, 61, 6000) == 121);
  ofox_pace_started(&p, &all[2], NAN, 121);
  ofox_pace_ended(&p, &all[2]);
  ofox_pace_used(&p, &all[2], NAN, 121);
  ofox_pace_ended(&p, &all[1]);
  ofox_pace_used(&p, &all[1], 5, 121); /* twice */
  assert(ofox_pace_next(&p, 121, 600) == 121);
  /* a start of which no tokens were known */
  ofox_pace_started(&p, &all[3], 0, 200);
  ofox_pace_ended(&p, &all[3]);
  ofox_pace_used(&p, &all[3], 6000, 201);
  assert(ofox_pace_next(&p, 201, 1) > 250);
}

static void say(int i, double limit, double left, double reset, double now) {
  struct ofox_pace_words said[OFOX_PACE_UNITS] = {{NAN, NAN, NAN},
                                                  {NAN, NAN, NAN}};
  said[0].limit = limit;
  said[0].remaining = left;
  said[0].reset = reset;
  ofox_pace_heard(&p, &all[i], said, now);
}

static void begin_announced(void) {
  struct ofox_pace_limits l = none();
  l.announced = l.alone = 1;
  l.patience = 60;
  l.slack = 0.5;
  l.rpm = 1; /* is not asked */
  begin(l);
}

static void test_alone(void) {
  begin_announced();
  assert(ofox_pace_next(&p, 0, 0) == 0);
  ofox_pace_started(&p, &all[0], 0, 0);
  assert(ofox_pace_next(&p, 0, 0) == 60 && ofox_pace_next(&p, 60, 0) == 60);
  say(0, NAN, NAN, NAN, 1); /* it announces nothing */
  assert(ofox_pace_next(&p, 1, 0) == 1 && ofox_pace_at(&p, 1, 99, 0, 0) == 1);
  begin_announced();
  ofox_pace_started(&p, &all[0], 0, 0);
  ofox_pace_ended(&p, &all[0]); /* no answer at all */
  ofox_pace_started(&p, &all[1], 0, 1);
  assert(ofox_pace_next(&p, 1, 0) == 1);
}

/* A refusal that says nothing of a rate: the next are alone, until one has an
** answer. */
static void test_refused(void) {
  int i;
  begin_announced();
  for (i = 0; i < 3; i++) {
    assert(ofox_pace_next(&p, i, 0) == i);
    ofox_pace_started(&p, &all[i], 0, i);
    ofox_pace_heard(&p, &all[i], NULL, i);
    assert(ofox_pace_next(&p, i, 0) == i + 60);
    ofox_pace_ended(&p, &all[i]);
  }
  ofox_pace_started(&p, &all[3], 0, 4);
  assert(ofox_pace_next(&p, 4, 0) == 64);
  say(3, NAN, NAN, NAN, 5);
  assert(ofox_pace_next(&p, 5, 0) == 5);
  /* later it is nothing new */
  ofox_pace_started(&p, &all[4], 0, 5);
  ofox_pace_heard(&p, &all[4], NULL, 5);
  assert(ofox_pace_next(&p, 5, 0) == 5);
  ofox_pace_ended(&p, &all[4]);
  /* the same call's next attempt has a word of its own */
  begin_announced();
  ofox_pace_started(&p, &all[0], 0, 0);
  ofox_pace_heard(&p, &all[0], NULL, 0);
  ofox_pace_started(&p, &all[0], 0, 1);
  ofox_pace_ended(&p, &all[0]);
  ofox_pace_started(&p, &all[1], 0, 2);
  assert(ofox_pace_next(&p, 2, 0) == 2);
  /* they count for the minute, once it is known */
  begin_announced();
  for (i = 0; i < 2; i++) {
    ofox_pace_started(&p, &all[i], 0, i);
    ofox_pace_heard(&p, &all[i], NULL, i);
    ofox_pace_ended(&p, &all[i]);
  }
  ofox_pace_started(&p, &all[2], 0, 2);
  say(2, 3, 2, 1, 2);
  assert(ofox_pace_next(&p, 2, 0) > 60);
}

static void test_announced(void) {
  int i;
  begin_announced();
  ofox_pace_started(&p, &all[0], 0, 0);
  say(0, 20, 3, 34, 1); /* another each two seconds, since 0 */
  for (i = 1; i < 4; i++) {
    assert(ofox_pace_next(&p, 1, 0) == 1);
    ofox_pace_started(&p, &all[i], 0, 1);
  }
  assert(ofox_pace_next(&p, 1, 0) == 2 && ofox_pace_at(&p, 1, 2, 0, 0) == 6);
  say(2, 20, 5, 30, 2); /* has not counted the last one */
  assert(ofox_pace_next(&p, 2, 0) == 2 && ofox_pace_at(&p, 2, 4, 0, 0) == 3);
  say(1, 20, 20, NAN, 2); /* older news */
  assert(ofox_pace_at(&p, 2, 4, 0, 0) == 3);
  say(3, 20, 0, NAN, 2); /* a minute */
  assert(ofox_pace_next(&p, 2, 0) == 4);
}

/* Whatever a server says, one is let through in a minute. */
static void test_absurd_words(void) {
  static const double odd[] = {NAN, -1,  0,    0.5,   1,        7,
                               20,  1e9, 1e18, 1e300, INFINITY, -INFINITY};
  const int n = sizeof(odd) / sizeof(odd[0]);
  double now = 0, next;
  int i, used = 0;
  begin_announced();
  for (i = 0; i < n * n * n; i++) {
    ofox_pace_started(&p, &all[used], 3, now);
    say(used, odd[i % n], odd[i / n % n], odd[i / n / n], now);
    used = (used + 1) % MANY;
    next = ofox_pace_next(&p, now, 3);
    assert(next >= now && next <= now + 60.5);
    assert(ofox_pace_next(&p, next, 3) == next);
    now += i % 7 == 0 ? 61 : 0;
  }
}

/* A limit of 10 a second is not 10 a minute, once that is certain. */
static void test_another_period(void) {
  int i;
  double now = 0;
  begin_announced();
  for (i = 0; i < 100; i++) {
    now = ofox_pace_next(&p, now, 0);
    ofox_pace_started(&p, &all[i], 0, now);
    say(i, 10, 9, 0.1, now + 0.01);
    now += 0.01;
  }
  assert(now > 120 && now < 140);
}

/*
** Servers that let 20 through in a minute: by what was in the last minute, by
** the minutes of their clock, or by a bucket. 'reset' is until all is there.
*/
enum kind { SLIDING, FIXED, BUCKET };
static struct {
  double came[MANY];
  int n;
  double level, since;
} server;

/* How many it has let through in its minute. */
static int count(enum kind kind, double now, double *reset) {
  double minute = floor(now / 60) * 60;
  int i, n = 0;
  for (i = 0; i < server.n; i++)
    n +=
        kind == SLIDING ? server.came[i] + 60 > now : server.came[i] >= minute;
  *reset = kind == SLIDING ? 60 : minute + 60 - now;
  return n;
}

/* 1: let through. Tells what an answer says. */
static int ask(enum kind kind, double now, double *left, double *reset) {
  int n;
  if (kind == BUCKET) {
    server.level = fmin(20, server.level + (now - server.since) / 3);
    server.since = now;
    n = server.level >= 1;
    server.level -= n;
    *left = floor(server.level);
    *reset = (20 - server.level) * 3;
    return n;
  }
  n = count(kind, now, reset);
  *left = n < 20 ? 19 - n : 0;
  if (n < 20)
    server.came[server.n++] = now;
  return n < 20;
}

/* 200 prompts, 100 in flight; answers take 'latency'. */
static void run(enum kind kind, double latency, double from) {
  struct {
    double when, left, reset;
    int ok;
  } answers[MANY];
  double now = from, next, due;
  int started = 0, heard = 0, done = 0, i;
  memset(&server, 0, sizeof(server));
  server.level = 20;
  server.since = now;
  begin_announced();
  while (done < 200) {
    next = started - heard < 100 ? ofox_pace_next(&p, now, 0) : INFINITY;
    due = heard < started ? answers[heard].when : INFINITY;
    if (next <= due && done + started - heard < 200) {
      now = next;
      answers[started].ok =
          ask(kind, now, &answers[started].left, &answers[started].reset);
      answers[started].when = now + latency;
      ofox_pace_started(&p, &all[started], 0, now);
      at[started++] = now;
    }
    else {
      now = due;
      done += answers[heard].ok;
      say(heard, 20, answers[heard].left, answers[heard].reset, now);
      ofox_pace_ended(&p, &all[heard]);
      ofox_pace_used(&p, &all[heard], 100, now);
      heard++;
    }
  }
  assert(started <= 210);
  for (i = 20; i < started; i++)
    assert(at[i] >= at[i - 20] + 60);
  assert(at[started - 1] - at[0] < 12 * 60);
}

static void test_servers(void) {
  static const double latencies[] = {0.001, 0.3, 4, 25};
  size_t i;
  for (i = 0; i < sizeof(latencies) / sizeof(latencies[0]); i++) {
    run(SLIDING, latencies[i], 0);
    run(SLIDING, latencies[i], 31);
    run(FIXED, latencies[i], 0);
    run(FIXED, latencies[i], 31);
    run(FIXED, latencies[i], 59.5);
    run(BUCKET, latencies[i], 0);
  }
}

/* What was started counts under other limits, too. */
static void test_change(void) {
  struct ofox_pace_limits l = {20, NAN, 20, NAN, 0, 0, 0, 0};
  struct ofox_pace_start starts[20];
  int i;
  memset(starts, 0, sizeof(starts));
  ofox_pace_free(&p);
  assert(ofox_pace_init(&p, &l) == 0);
  for (i = 0; i < 20; i++)
    ofox_pace_started(&p, &starts[i], 0, 5);
  l.rpm = 30;
  l.burst = 30;
  assert(ofox_pace_change(&p, &l) == 0);
  assert(p.in_flight == 20);
  assert(ofox_pace_next(&p, 5, 0) == 5);
  assert(ofox_pace_at(&p, 5, 9, 0, 0) == 5);
  assert(ofox_pace_at(&p, 5, 10, 0, 0) >= 65);
  for (i = 0; i < 20; i++)
    ofox_pace_ended(&p, &starts[i]);
  assert(p.in_flight == 0);
  l.rpm = l.burst = 10;
  assert(ofox_pace_change(&p, &l) == 0);
  assert(ofox_pace_next(&p, 7, 0) >= 65);
}

int main(void) {
  test_nothing_given();
  test_rpm();
  test_odd_rpm();
  test_slack();
  test_many();
  test_clocks();
  test_concurrent();
  test_tokens();
  test_used();
  test_too_many_tokens();
  test_alone();
  test_refused();
  test_announced();
  test_absurd_words();
  test_another_period();
  test_servers();
  test_change();
  ofox_pace_free(&p);
  puts("ok");
  return 0;
}
