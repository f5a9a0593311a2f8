/*
** The sockets of an engine against real ones: who has which, and whether it is
** fit; and the least limit of connections. Prints "ok". From the root of the
** clone:
**
**   make build/ctest/test_sockets.ok
*/
#define _POSIX_C_SOURCE 200809L
#undef NDEBUG
#include "io/sockets.h"
#include "io/traffic.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MANY 200 /* more than once as many rows as there are at first */

static struct sockaddr_in server; /* where it listens */
static int listener;
static struct {
  int fd, peer;
  unsigned long key;
} all[MANY];

static void listen_somewhere(void) {
  socklen_t n = sizeof(server);
  listener = socket(AF_INET, SOCK_STREAM, 0);
  server.sin_family = AF_INET;
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert(bind(listener, (struct sockaddr *)&server, n) == 0);
  assert(listen(listener, 16) == 0);
  assert(getsockname(listener, (struct sockaddr *)&server, &n) == 0);
}

/* Both ends, as libcurl would tell them. */
static unsigned long key_of(int fd) {
  struct sockaddr_in a;
  socklen_t n = sizeof(a);
  assert(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
  return ofox_sockets_key("127.0.0.1", ntohs(a.sin_port), "127.0.0.1",
                          ntohs(server.sin_port));
}

static void connect_it(int fd, int *peer) {
  assert(connect(fd, (struct sockaddr *)&server, sizeof(server)) == 0);
  *peer = accept(listener, NULL, NULL);
  assert(*peer >= 0);
}

static void open_all(struct ofox_sockets *s) {
  int i;
  for (i = 0; i < MANY; i++) {
    all[i].fd = ofox_sockets_open(s, AF_INET, SOCK_STREAM, 0, NULL);
    assert(all[i].fd >= 0);
    connect_it(all[i].fd, &all[i].peer);
    all[i].key = key_of(all[i].fd);
  }
  assert(ofox_sockets_count(s) == MANY);
}

static void close_all(struct ofox_sockets *s) {
  int i;
  for (i = 0; i < MANY; i++) {
    ofox_sockets_close(s, all[i].fd);
    close(all[i].peer);
  }
  assert(ofox_sockets_count(s) == 0);
}

/* Each is found by its key: the one just opened, one of a user who has gone
** before it was connected, and one that has been used. */
static void test_keys(struct ofox_sockets *s) {
  struct ofox_hold hold[MANY];
  int i, round;
  open_all(s);
  for (round = 0; round < 3; round++) {
    for (i = 0; i < MANY; i++) {
      int opened = round == 0 && i % 2 == 0 ? all[i].fd : -1;
      assert(ofox_sockets_claim(s, all[i].key, opened, &hold[i]) ==
             OFOX_CLAIM_OWN);
      assert(hold[i].fd == all[i].fd);
    }
    for (i = 0; i < MANY; i++) {
      ofox_sockets_release(s, &hold[i], 11);
      assert(hold[i].nth == 0);
    }
  }
  assert(ofox_sockets_claim(s, 4711, -1, hold) == OFOX_CLAIM_OWN);
  assert(hold->nth == 0);
  close_all(s);
}

/* An HTTP/1.x connection on which something waits, or that was closed, is not
** fit; one of HTTP/2 is. */
static void test_fit(struct ofox_sockets *s) {
  struct ofox_hold hold, other;
  open_all(s);
  assert(ofox_sockets_claim(s, all[7].key, all[7].fd, &hold) ==
         OFOX_CLAIM_OWN);
  assert(ofox_sockets_is_quiet(s, &hold));
  assert(write(all[7].peer, "x", 1) == 1);
  assert(!ofox_sockets_is_quiet(s, &hold));
  ofox_sockets_release(s, &hold, 20);
  assert(ofox_sockets_claim(s, all[7].key, -1, &hold) == OFOX_CLAIM_SHARED);
  assert(ofox_sockets_claim(s, all[7].key, -1, &other) == OFOX_CLAIM_SHARED);
  ofox_sockets_release(s, &other, 11);
  /* it has a user, who may be the one to read that */
  assert(ofox_sockets_claim(s, all[7].key, -1, &other) == OFOX_CLAIM_SHARED);
  ofox_sockets_release(s, &other, 11);
  ofox_sockets_release(s, &hold, 11);
  assert(ofox_sockets_claim(s, all[7].key, -1, &hold) == OFOX_CLAIM_STRAY);
  assert(hold.nth == 0);
  close_all(s);
}

static void test_silence(struct ofox_sockets *s) {
  struct ofox_hold hold, other, gone;
  char c;
  open_all(s);
  ofox_sockets_claim(s, all[3].key, all[3].fd, &hold);
  ofox_sockets_claim(s, all[3].key, -1, &other);
  ofox_sockets_hear(s, all[3].fd, 5);
  assert(ofox_sockets_heard(s, &hold) == 5);
  gone = hold;
  assert(ofox_sockets_silence(s, &hold) == 1);
  assert(ofox_sockets_claim(s, all[3].key, -1, &hold) == OFOX_CLAIM_STRAY);
  hold = gone;
  ofox_sockets_release(s, &hold, 0);
  ofox_sockets_release(s, &other, 0);
  assert(read(all[3].peer, &c, 1) == 0); /* it was hung up */
  assert(ofox_sockets_heard(s, &hold) == INFINITY);
  ofox_sockets_close(s, all[3].fd);
  assert(ofox_sockets_heard(s, &gone) == INFINITY);
  all[3].fd = ofox_sockets_open(s, AF_INET, SOCK_STREAM, 0, NULL);
  assert(ofox_sockets_heard(s, &gone) == INFINITY); /* the number came back */
  close_all(s);
}

/* One that was closed by others is gone when its number comes back. */
static void test_closed_by_others(struct ofox_sockets *s) {
  int fd;
  open_all(s);
  close(all[5].fd);
  close(all[5].peer);
  fd = ofox_sockets_open(s, AF_INET, SOCK_STREAM, 0, NULL);
  assert(fd == all[5].fd);
  assert(ofox_sockets_count(s) == MANY);
  connect_it(fd, &all[5].peer);
  all[5].key = key_of(fd);
  close_all(s);
}

/* They cannot be told apart: an idle one is taken, and none if any that is
** idle is not fit. */
static void test_one_path(struct ofox_sockets *s) {
  static const char path[] = "/a/path";
  unsigned long key = ofox_sockets_unix_key(path);
  struct ofox_hold hold[3], more;
  int i, fds[3], ends[2];
  for (i = 0; i < 3; i++) {
    fds[i] = ofox_sockets_open(s, AF_UNIX, SOCK_STREAM, 0, path);
    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    assert(dup2(ends[0], fds[i]) == fds[i]);
    close(ends[0]);
    all[i].peer = ends[1];
    ofox_sockets_claim(s, key, fds[i], &hold[i]);
    assert(hold[i].fd == fds[i]);
  }
  ofox_sockets_release(s, &hold[1], 11);
  assert(ofox_sockets_claim(s, key, -1, &hold[1]) == OFOX_CLAIM_OWN);
  assert(hold[1].fd == fds[1]);
  assert(ofox_sockets_claim(s, key, -1, &more) == OFOX_CLAIM_SHARED);
  ofox_sockets_release(s, &more, 0);
  ofox_sockets_release(s, &hold[2], 11);
  ofox_sockets_release(s, &hold[0], 11);
  assert(write(all[2].peer, "x", 1) == 1);
  assert(ofox_sockets_claim(s, key, -1, &more) == OFOX_CLAIM_STRAY);
  assert(ofox_sockets_claim(s, key, fds[0], &more) == OFOX_CLAIM_OWN);
  for (i = 0; i < 3; i++) {
    ofox_sockets_close(s, fds[i]);
    close(all[i].peer);
  }
}

static void test_abandon(struct ofox_sockets *s) {
  int i;
  char c;
  open_all(s);
  ofox_sockets_abandon(s);
  assert(ofox_sockets_count(s) == 0);
  for (i = 0; i < MANY; i++) {
    assert(read(all[i].peer, &c, 1) == 0);
    close(all[i].peer);
  }
}

/* Against a count of each. */
static void test_limits(void) {
  static int users[10];
  struct ofox_traffic w;
  int i, n, least;
  memset(&w, 0, sizeof(w));
  ofox_traffic_init(&w);
  assert(ofox_traffic_least_limit(&w) == 0);
  srand(1);
  for (n = 0; n < 10000; n++) {
    i = 1 + rand() % 9;
    if (users[i] == 0 || rand() % 2) {
      assert(ofox_traffic_limit(&w, i) == 0);
      users[i]++;
    }
    else {
      ofox_traffic_unlimit(&w, i);
      users[i]--;
    }
    for (least = 1; least < 10 && users[least] == 0; least++)
      ;
    assert(ofox_traffic_least_limit(&w) == least % 10);
  }
  ofox_buf_free(&w.limits);
}

int main(void) {
  struct ofox_sockets s;
  listen_somewhere();
  ofox_sockets_init(&s);
  test_keys(&s);
  test_fit(&s);
  test_silence(&s);
  test_closed_by_others(&s);
  test_one_path(&s);
  test_abandon(&s);
  test_limits();
  ofox_sockets_free(&s);
  puts("ok");
  return 0;
}
