/*
** Lets every request for memory fail in turn: see torture.lua for what is run
** meanwhile. For each scenario, each choice of heaps and each kind of fault,
** n = 1, 2, 3, … until a run gets by without a failure. Each run is a child
** process, forked from one that has everything loaded. It must end well or in
** an error that speaks of memory; the same must then succeed with memory to
** spare; and with lua_close all bytes and descriptors must be gone.
**
**   torture [-s step] [-n first] [-j jobs] [-v] [-f heaps:fault] [scenario...]
*/
#define _GNU_SOURCE
#include "torture.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/wait.h>

#include <lauxlib.h>
#include <lualib.h>

#define SECONDS_A_RUN 20
#define JOBS 16
#define ENDS 10 /* exit code of a run that saw no failure */
#define DESCRIPTORS 512

const char *__asan_default_options(void);

/* What libraries of others leave is not ours; our own bytes are counted. */
const char *__asan_default_options(void) {
  return "detect_leaks=0";
}

int luaopen_ofox_core(lua_State *L);
int luaopen_ofox_engine(lua_State *L);

static const struct sweep {
  const char *name;
  int heaps;
  enum fault fault;
} SWEEPS[] = {
    {"c:once", HEAP_C, FAULT_ONCE},
    {"c:rest", HEAP_C, FAULT_REST},
    {"lua:once", HEAP_LUA, FAULT_ONCE},
    {"lua:pair", HEAP_LUA, FAULT_PAIR},
    {"lua:rest", HEAP_LUA, FAULT_REST},
    {"both:rest", HEAP_C | HEAP_LUA, FAULT_REST},
    {"curl:once", HEAP_CURL, FAULT_ONCE},
    {"curl:rest", HEAP_CURL, FAULT_REST},
    {"all:rest", HEAP_C | HEAP_LUA | HEAP_CURL, FAULT_REST},
};
#define NSWEEPS (sizeof(SWEEPS) / sizeof(SWEEPS[0]))

static long step = 1, from = 1;
static int jobs, verbose;
static const char *only;
static char **names; /* of the scenarios wanted; none: all of them */
static size_t curl_base;

/* In the child: what it says before it ends. */
static const char *where = "?";
static long which;

static int problem(const char *what, const char *more) {
  fprintf(stderr, "%s, request %ld: %s%s%s\n", where, which, what,
          more == NULL ? "" : ": ", more == NULL ? "" : more);
  return 1;
}

/* The state */

static void die(lua_State *L) {
  fprintf(stderr, "torture: %s\n", lua_tostring(L, -1));
  exit(2);
}

/* Pushes the list of scenarios, each with all it needs loaded. */
static lua_State *prepare(void) {
  lua_State *L = lua_newstate(heap_lua, NULL);
  if (L == NULL)
    abort();
  luaL_openlibs(L);
  lua_newtable(L);
  serve_open(L);
  lua_pushcfunction(L, luaopen_ofox_core);
  lua_setfield(L, -2, "open_core");
  lua_pushcfunction(L, luaopen_ofox_engine);
  lua_setfield(L, -2, "open_engine");
  lua_setglobal(L, "torture");
  if (luaL_loadfile(L, "spec/c/torture.lua") != 0 ||
      lua_pcall(L, 0, 1, 0) != 0)
    die(L);
  return L;
}

static int descriptors(void) {
  int fd, n = 0;
  for (fd = 0; fd < DESCRIPTORS; fd++)
    n += fcntl(fd, F_GETFD) >= 0;
  return n;
}

/* One run, in the child. The scenario is at 1. */

/* Calls its function 'name' with what is on top, or with nothing. Leaves a
** result or the error. */
static int call(lua_State *L, const char *name, int args) {
  lua_getfield(L, 1, name);
  if (args > 0)
    lua_insert(L, -2);
  return lua_pcall(L, args, 1, 0);
}

/* What luaL_checkstack, of which patterns, table.sort and the like ask room on
** the stack, says where there is no memory for it; Lua 5.1 says what it always
** says. A recursion without end has no such parenthesis. */
#if LUA_VERSION_NUM >= 502 || defined(LUA_JITLIBNAME)
#define NO_STACK "stack overflow ("
#else
#define NO_STACK "not enough memory"
#endif

/* Does the error on top say that there was no memory? */
static int is_clean(lua_State *L) {
  const char *text;
  if (lua_istable(L, -1)) {
    lua_getfield(L, -1, "message");
    lua_remove(L, -2);
  }
  text = lua_tostring(L, -1);
  return text != NULL && strncmp(text, "wrong", 5) != 0 &&
         (strstr(text, "not enough memory") != NULL ||
          strstr(text, NO_STACK) != NULL);
}

static int check_end(lua_State *L, int before) {
  char text[100];
  int i, after;
  size_t base;
  lua_close(L);
  heap_disarm();
  for (i = 0; i < HEAPS; i++) {
    base = strcmp(heap_name(i), "curl") == 0 ? curl_base : 0;
    if (heap_used(i) != base) {
      snprintf(text, sizeof(text), "%ld bytes of heap %s",
               (long)(heap_used(i) - base), heap_name(i));
      return problem("left behind", text);
    }
  }
  after = descriptors();
  if (after != before) {
    snprintf(text, sizeof(text), "%d before, %d after", before, after);
    return problem("descriptors", text);
  }
  return 0;
}

static int run(lua_State *L, const struct sweep *s, long n) {
  int before = descriptors(), rc, fired, bad = 0;
  lua_replace(L, 1);
  lua_settop(L, 1);
  if (call(L, "setup", 0) != 0)
    return problem("setup", lua_tostring(L, -1));
  heap_arm(s->heaps, s->fault, n);
  rc = call(L, "run", 1);
  fired = heap_disarm();
  if (rc != 0 && !fired)
    bad = problem("failed by itself", lua_tostring(L, -1));
  else if (rc != 0 && !is_clean(L))
    bad = problem("no clean error", lua_tostring(L, -1));
  lua_settop(L, 1);
  if (!bad && fired && (call(L, "setup", 0) != 0 || call(L, "run", 1) != 0))
    bad = problem("the same again",
                  is_clean(L) ? "no memory" : lua_tostring(L, -1));
  if (s->fault == FAULT_REST && !(s->heaps & HEAP_LUA))
    heap_arm(s->heaps, s->fault, 1); /* nothing is wanted to let go */
  bad |= check_end(L, before);
  return bad ? bad : fired ? 0 : ENDS;
}

/* Sweeps */

static struct job {
  pid_t pid;
  long n;
} running[JOBS];

static void start(lua_State *L, const struct sweep *s, long n, struct job *j) {
  fflush(stderr);
  j->n = n;
  j->pid = fork();
  if (j->pid == 0) {
    alarm(SECONDS_A_RUN);
    which = n;
    _exit(run(L, s, n));
  }
  if (j->pid < 0)
    abort();
}

/* Waits for any; 1: it was bad, ENDS: it saw no failure. */
static int reap(struct job **ended) {
  int i, status;
  pid_t pid = wait(&status);
  for (i = 0; i < jobs; i++) {
    if (running[i].pid == pid)
      break;
  }
  *ended = &running[i];
  running[i].pid = 0;
  if (WIFSIGNALED(status)) {
    which = running[i].n;
    return problem(WTERMSIG(status) == SIGALRM ? "hangs" : "killed",
                   strsignal(WTERMSIG(status)));
  }
  return WEXITSTATUS(status) == ENDS ? ENDS : WEXITSTATUS(status) != 0;
}

/* Lets the scenario on top fail at each n. Returns how many were bad. */
static int sweep(lua_State *L, const struct sweep *s, long *runs) {
  struct job *free_job;
  long n = from;
  int i, rc, over = 0, bad = 0, busy = 0;
  for (i = 0; i < jobs; i++) {
    start(L, s, n, &running[i]);
    n += step;
    busy++;
  }
  while (busy > 0) {
    rc = reap(&free_job);
    busy--;
    ++*runs;
    over |= rc == ENDS || bad > 20;
    bad += rc == 1;
    if (!over) {
      start(L, s, n, free_job);
      n += step;
      busy++;
    }
  }
  return bad;
}

static int is_wanted(const char *name) {
  int i;
  for (i = 0; names[i] != NULL; i++) {
    if (strcmp(names[i], name) == 0)
      return 1;
  }
  return i == 0;
}

/* Has the scenario on top that sweep? */
static int has_sweep(lua_State *L, const struct sweep *s) {
  int wire;
  if (only != NULL && strcmp(only, s->name) != 0)
    return 0;
  lua_getfield(L, -1, "wire");
  wire = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return wire || !(s->heaps & HEAP_CURL);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int sweep_all(lua_State *L, long *runs) {
  char text[100];
  size_t k;
  long before;
  double began;
  int n, bad = 0;
  const char *name;
  lua_getfield(L, -1, "name");
  name = lua_tostring(L, -1);
  lua_pop(L, 1); /* the scenario keeps it */
  for (k = 0; k < NSWEEPS && is_wanted(name); k++) {
    if (!has_sweep(L, &SWEEPS[k]))
      continue;
    snprintf(text, sizeof(text), "%s %s", name, SWEEPS[k].name);
    where = text;
    before = *runs;
    began = now();
    n = sweep(L, &SWEEPS[k], runs);
    if (verbose)
      printf("%-28s %6ld runs %7.2f s %s\n", text, *runs - before,
             now() - began, n > 0 ? "BAD" : "");
    fflush(stdout);
    bad += n;
  }
  return bad;
}

static void usage(void) {
  fprintf(stderr, "usage: torture [-s step] [-n first] [-j jobs] [-v] "
                  "[-f heaps:fault] [scenario...]\n");
  exit(2);
}

static void options(int argc, char **argv) {
  int c;
  while ((c = getopt(argc, argv, "s:n:j:f:v")) != -1) {
    switch (c) {
    case 's':
      step = strtol(optarg, NULL, 10);
      break;
    case 'n':
      from = strtol(optarg, NULL, 10);
      break;
    case 'j':
      jobs = (int)strtol(optarg, NULL, 10);
      break;
    case 'f':
      only = optarg;
      break;
    case 'v':
      verbose = 1;
      break;
    default:
      usage();
    }
  }
  names = argv + optind;
  if (jobs == 0)
    jobs = (int)sysconf(_SC_NPROCESSORS_ONLN);
  if (jobs > JOBS)
    jobs = JOBS;
  if (step < 1 || from < 1 || jobs < 1)
    usage();
}

int main(int argc, char **argv) {
  lua_State *L;
  long runs = 0;
  int i, bad = 0;
  options(argc, argv);
  heap_init();
  curl_base = heap_used(2);
  L = prepare();
  for (i = 1; lua_rawgeti(L, 1, i), !lua_isnil(L, -1); i++) {
    bad += sweep_all(L, &runs);
    lua_pop(L, 1);
  }
  printf("[E10] %ld runs, %d bad\n", runs, bad);
  lua_close(L);
  return bad == 0 && runs > 0 ? 0 : 1;
}
