#define _POSIX_C_SOURCE 200809L /* pthread_atfork */
#include "io/forks.h"

#include <pthread.h>

#include "base/buf.h"

static unsigned long passed;

static void in_child(void) {
  passed++;
}

int ofox_forks_watch(void) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static int watched;
  int rc;
  pthread_mutex_lock(&lock);
  watched = watched || pthread_atfork(NULL, NULL, in_child) == 0;
  rc = watched ? 0 : OFOX_EMEM;
  pthread_mutex_unlock(&lock);
  return rc;
}

unsigned long ofox_forks_passed(void) {
  return passed;
}
