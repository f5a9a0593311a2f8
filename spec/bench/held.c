/* How long bare libcurl holds a loop up with many streams: held URL COUNT.
** Prints the 99th percentile of curl_multi_perform, called once a millisecond,
** in microseconds. A first round of short streams warms the connections. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static size_t heard(char *p, size_t size, size_t n, void *u) {
  (void)p, (void)u;
  return size * n;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int order(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Has all of them fetch; the times of each perform go to 'took'. */
static size_t fetch(CURLM *multi, CURL **easy, int n, const char *base,
                    const char *path, double *took, size_t most) {
  struct timespec pause = {0, 1000000};
  char url[256];
  size_t count = 0;
  int i, left = 1;
  snprintf(url, sizeof(url), "%s%s", base, path);
  for (i = 0; i < n; i++) {
    curl_easy_setopt(easy[i], CURLOPT_URL, url);
    curl_multi_add_handle(multi, easy[i]);
  }
  while (left > 0) {
    double began = now();
    curl_multi_perform(multi, &left);
    if (count < most)
      took[count++] = now() - began;
    nanosleep(&pause, NULL);
  }
  for (i = 0; i < n; i++)
    curl_multi_remove_handle(multi, easy[i]);
  return count;
}

int main(int argc, char **argv) {
  static double took[100000];
  int i, n = argc > 2 ? atoi(argv[2]) : 1;
  CURLM *multi = curl_multi_init();
  CURL **easy = malloc((size_t)n * sizeof(*easy));
  size_t count;
  for (i = 0; i < n; i++) {
    easy[i] = curl_easy_init();
    curl_easy_setopt(easy[i], CURLOPT_WRITEFUNCTION, heard);
    curl_easy_setopt(easy[i], CURLOPT_POSTFIELDS, "{}");
    curl_easy_setopt(easy[i], CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy[i], CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy[i], CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy[i], CURLOPT_PROXY, "");
  }
  fetch(multi, easy, n, argv[1], "/stream/10/v1/chat/completions", took, 0);
  count = fetch(multi, easy, n, argv[1], "/slow/1000/v1/chat/completions",
                took, 100000);
  qsort(took, count, sizeof(*took), order);
  printf("%.0f\n", took[count * 99 / 100] * 1e6);
  return 0;
}
