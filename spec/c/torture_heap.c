/*
** The counted heaps: see torture.h. Sizes are those that malloc tells, so that
** a block has nothing before it and AddressSanitizer sees both its ends.
*/
#include "torture.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);

/* libcurl looks names up in threads of its own. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t used[HEAPS];
static int armed, fired;
static enum fault kind;
static long count, first;

static const int BITS[HEAPS] = {HEAP_C, HEAP_LUA, HEAP_CURL};

size_t heap_used(int i) {
  return used[i];
}

const char *heap_name(int i) {
  static const char *const names[HEAPS] = {"c", "lua", "curl"};
  return names[i];
}

void heap_arm(int heaps, enum fault fault, long n) {
  kind = fault;
  first = n;
  count = fired = 0;
  armed = heaps;
}

int heap_disarm(void) {
  armed = 0;
  return fired;
}

static int refuses(int heap) {
  int fail;
  if (!(armed & BITS[heap]))
    return 0;
  count++;
  fail = count == first || (kind == FAULT_PAIR && count == first + 1) ||
         (kind == FAULT_REST && count > first);
  if (fail) {
    fired = 1;
    errno = ENOMEM;
  }
  return fail;
}

/* A realloc that can also make and free; 'more': the request is for more. */
static void *resize(int heap, void *p, size_t n, int more) {
  size_t was = p == NULL ? 0 : malloc_usable_size(p);
  void *q = NULL;
  pthread_mutex_lock(&lock);
  if (n == 0) {
    __real_free(p);
    used[heap] -= was;
  }
  else if (!more || !refuses(heap)) {
    q = __real_realloc(p, n);
    if (q != NULL)
      used[heap] += malloc_usable_size(q) - was;
  }
  pthread_mutex_unlock(&lock);
  return q;
}

static void *zeroed(int heap, size_t number, size_t size) {
  size_t n = number * size;
  void *p;
  if (size != 0 && n / size != number)
    return NULL;
  p = resize(heap, NULL, n == 0 ? 1 : n, 1);
  if (p != NULL)
    memset(p, 0, n);
  return p;
}

void *__wrap_malloc(size_t n) {
  return resize(0, NULL, n == 0 ? 1 : n, 1);
}

void *__wrap_calloc(size_t number, size_t size) {
  return zeroed(0, number, size);
}

void *__wrap_realloc(void *p, size_t n) {
  return resize(0, p, n == 0 ? 1 : n, 1);
}

void __wrap_free(void *p) {
  resize(0, p, 0, 0);
}

/* Lua may count on it that what shrinks does not fail. */
void *heap_lua(void *user, void *p, size_t was, size_t n) {
  (void)user;
  return resize(1, p, n, p == NULL || n > was);
}

static void *curl_malloc(size_t n) {
  return resize(2, NULL, n == 0 ? 1 : n, 1);
}

static void *curl_calloc(size_t number, size_t size) {
  return zeroed(2, number, size);
}

static void *curl_realloc(void *p, size_t n) {
  return resize(2, p, n == 0 ? 1 : n, 1);
}

static void curl_free_(void *p) {
  resize(2, p, 0, 0);
}

static char *curl_strdup(const char *s) {
  size_t n = strlen(s) + 1;
  char *p = resize(2, NULL, n, 1);
  return p == NULL ? NULL : memcpy(p, s, n);
}

void heap_init(void) {
  if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, curl_free_,
                           curl_realloc, curl_strdup, curl_calloc) != 0)
    abort();
}
