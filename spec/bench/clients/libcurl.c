/*
** The floor: C on bare libcurl, which touches no JSON. The same words of the
** command as clients in Lua (driver.lua): libcurl ACTION BASE WARM COUNT SIDE.
** What runs in turn is an easy handle's; what runs side by side is a multi
** handle's, whose sockets are polled by epoll.
*/
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#define CHAT                                                                  \
  "\"model\":\"openai/gpt-4o\",\"temperature\":0.7,\"max_tokens\":256,"       \
  "\"messages\":[{\"role\":\"system\",\"content\":\"You are a helpful "       \
  "assistant.\"},{\"role\":\"user\",\"content\":\"Summarise the plot of "     \
  "Hamlet in two sentences, please.\"}]}"
#define EMBED                                                                 \
  "{\"model\":\"text-embedding-3-large\","                                    \
  "\"input\":[\"To be, or not to be\",\"that is the question\"],"             \
  "\"encoding_format\":"

static const struct action {
  const char *name, *path, *body;
} actions[] = {
    {"chat", "/chat/completions", "{" CHAT},
    {"errors", "/chat/completions", "{" CHAT},
    {"flight", "/chat/completions", "{" CHAT},
    {"stream", "/chat/completions", "{\"stream\":true," CHAT},
    {"streams", "/chat/completions", "{\"stream\":true," CHAT},
    {"text", "/chat/completions", "{\"stream\":true," CHAT},
    {"first", "/chat/completions", "{\"stream\":true," CHAT},
    {"embeddings", "/embeddings", EMBED "\"base64\"}"},
    {"decimals", "/embeddings", EMBED "\"float\"}"},
};

static const struct action *action;
static char url[256];
static struct curl_slist *headers;
static double asked_at, *first_times; /* of 'first', if it is measured */
static long first_count;

static void must(int is_so, const char *what) {
  if (is_so)
    return;
  fprintf(stderr, "libcurl: %s\n", what);
  exit(1);
}

static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Kilobytes, of a line of /proc/self/status. */
static long memory(const char *what) {
  char line[256];
  long size = -1;
  FILE *f = fopen("/proc/self/status", "r");
  must(f != NULL, "no /proc/self/status");
  while (size < 0 && fgets(line, sizeof(line), f)) {
    if (strncmp(line, what, strlen(what)) == 0)
      size = strtol(line + strlen(what) + 1, NULL, 10);
  }
  fclose(f);
  return size;
}

static size_t on_body(char *p, size_t size, size_t n, void *user) {
  (void)p, (void)user;
  if (first_times && asked_at > 0) {
    first_times[first_count++] = now(CLOCK_MONOTONIC) - asked_at;
    asked_at = 0;
  }
  return size * n;
}

static CURL *new_handle(void) {
  CURL *h = curl_easy_init();
  must(h != NULL, "no handle");
  curl_easy_setopt(h, CURLOPT_URL, url);
  curl_easy_setopt(h, CURLOPT_PROXY, "");
  curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(h, CURLOPT_POSTFIELDS, action->body);
  curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
  return h;
}

static long status_of(CURL *h) {
  long status = 0;
  curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

/* In turn */

static void run_in_turn(long count) {
  static CURL *h;
  if (!h)
    h = new_handle();
  while (count-- > 0) {
    do {
      asked_at = first_times ? now(CLOCK_MONOTONIC) : 0;
      must(curl_easy_perform(h) == CURLE_OK, "a call failed");
    } while (status_of(h) == 503);
    must(status_of(h) == 200, "a bad status");
  }
}

/* Side by side */

static CURLM *multi;
static int epoll;
static double due; /* when libcurl wants to be called; 0: it does not */

static int on_socket(CURL *h, curl_socket_t fd, int what, void *u, void *s) {
  static char known; /* libcurl keeps its address with sockets of the epoll */
  struct epoll_event e = {0, {0}};
  (void)h, (void)u;
  if (what == CURL_POLL_REMOVE)
    return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &e), 0;
  e.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) |
             (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
  e.data.fd = fd;
  epoll_ctl(epoll, s ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e);
  curl_multi_assign(multi, fd, &known);
  return 0;
}

static int on_timer(CURLM *m, long milliseconds, void *user) {
  (void)m, (void)user;
  due =
      milliseconds < 0 ? 0 : now(CLOCK_MONOTONIC) + (double)milliseconds / 1e3;
  return 0;
}

static void prepare_multi(void) {
  multi = curl_multi_init();
  epoll = epoll_create1(0);
  must(multi && epoll >= 0, "no multi handle");
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
}

/* Waits, and lets libcurl do what there is to do. */
static void turn(void) {
  static struct epoll_event events[256];
  double left = due > 0 ? (due - now(CLOCK_MONOTONIC)) * 1e3 : 1000;
  int i, running, n = epoll_wait(epoll, events, 256, left > 0 ? (int)left : 0);
  for (i = 0; i < n; i++) {
    int flags =
        (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
        (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
        (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    curl_multi_socket_action(multi, events[i].data.fd, flags, &running);
  }
  if (due > 0 && now(CLOCK_MONOTONIC) >= due) {
    due = 0;
    curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
  }
}

static CURL *next_ended(void) {
  int left;
  CURLMsg *m;
  while ((m = curl_multi_info_read(multi, &left)) != NULL) {
    if (m->msg != CURLMSG_DONE)
      continue;
    must(m->data.result == CURLE_OK, "a call failed");
    must(status_of(m->easy_handle) == 200, "a bad status");
    return m->easy_handle;
  }
  return NULL;
}

/* So many calls, at most 'side' of them at once. Handles are kept. */
static void run_side_by_side(long count, long side) {
  static CURL **handles;
  static long known;
  long i, started, ended = 0;
  CURL *h;
  if (!multi)
    prepare_multi();
  if (known < side) {
    handles = realloc(handles, (size_t)side * sizeof(*handles));
    must(handles != NULL, "no memory");
  }
  while (known < side)
    handles[known++] = new_handle();
  started = side < count ? side : count;
  for (i = 0; i < started; i++)
    curl_multi_add_handle(multi, handles[i]);
  while (ended < count) {
    turn();
    while ((h = next_ended()) != NULL) {
      curl_multi_remove_handle(multi, h);
      ended++;
      if (started < count) {
        curl_multi_add_handle(multi, h);
        started++;
      }
    }
  }
}

/* The command */

static void run(long count, long side) {
  if (strcmp(action->name, "flight") == 0)
    run_side_by_side(count, side);
  else if (strcmp(action->name, "streams") == 0)
    run_side_by_side(count, count);
  else
    run_in_turn(count);
}

static int order(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Sorts the list; 0 if it is empty. */
static double median(double *list, long count) {
  if (count == 0)
    return 0;
  qsort(list, (size_t)count, sizeof(*list), order);
  return list[(count - 1) / 2];
}

static void measure(long warm, long count, long side) {
  long before;
  double cpu;
  before = memory("VmRSS");
  run(warm, side);
  if (strcmp(action->name, "first") == 0)
    first_times = calloc((size_t)count + 1, sizeof(*first_times));
  cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  run(count, side);
  cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  printf("cpu=%.6f memory=%ld first=%.9f\n", cpu, memory("VmHWM") - before,
         median(first_times, first_count));
}

int main(int argc, char **argv) {
  size_t i;
  curl_global_init(CURL_GLOBAL_DEFAULT);
  if (argc == 2 && strcmp(argv[1], "load") == 0)
    return 0;
  must(argc >= 5, "ACTION BASE WARM COUNT [SIDE]");
  for (i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
    if (strcmp(argv[1], actions[i].name) == 0)
      action = &actions[i];
  }
  if (!action)
    return 77;
  snprintf(url, sizeof(url), "%s%s", argv[2], action->path);
  headers = curl_slist_append(NULL, "Content-Type: application/json");
  headers = curl_slist_append(headers, "Accept: application/json");
  headers = curl_slist_append(
      headers, "Authorization: Bearer sk-bench-0123456789abcdef");
  measure(atol(argv[3]), atol(argv[4]), argc > 5 ? atol(argv[5]) : 1);
  return 0;
}
