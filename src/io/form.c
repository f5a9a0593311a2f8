#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64
#if defined(__APPLE__)
#define _DARWIN_C_SOURCE
#endif
#include "io/form.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__APPLE__)
#define MODIFIED st_mtimespec
#else
#define MODIFIED st_mtim
#endif

void ofox_form_init(struct ofox_form *f) {
  memset(f, 0, sizeof(*f));
  f->_end = &f->first;
}

static void close_part(struct ofox_form_part *p) {
  if (p->_fd >= 0)
    close(p->_fd);
  p->_fd = -1;
}

void ofox_form_free(struct ofox_form *f) {
  struct ofox_form_part *p, *next;
  for (p = f->first; p != NULL; p = next) {
    next = p->next;
    close_part(p);
    free(p);
  }
  ofox_form_init(f);
}

/* What is wrong */

static int fail(struct ofox_form_part *p, enum ofox_outcome outcome,
                const char *why, const char *more) {
  struct ofox_form *f = p->form;
  f->outcome = outcome;
  f->culprit = p;
  snprintf(f->why, sizeof(f->why), "!the file of %s %s%s%s: %s", p->param, why,
           more[0] != '\0' ? ": " : "", more, p->path);
  return -1;
}

static int changed(struct ofox_form_part *p, const char *how) {
  return fail(p, OFOX_OUTCOME_FILE_CHANGED, how, "");
}

/* By errno. */
static int unreadable(struct ofox_form_part *p) {
  if (errno == EMFILE || errno == ENFILE)
    return fail(p, OFOX_OUTCOME_NO_DESCRIPTORS, "could not be opened",
                strerror(errno));
  if (p->_known && (errno == ENOENT || errno == ENOTDIR))
    return changed(p, "is no longer there");
  return fail(p, OFOX_OUTCOME_FILE_UNREADABLE, "could not be read",
              strerror(errno));
}

/* Files */

static struct ofox_form_mark mark_of(const struct stat *st) {
  struct ofox_form_mark m;
  m.device = (uint64_t)st->st_dev;
  m.inode = (uint64_t)st->st_ino;
  m.size = (uint64_t)st->st_size;
  m.seconds = (int64_t)st->MODIFIED.tv_sec;
  m.nanoseconds = (int64_t)st->MODIFIED.tv_nsec;
  return m;
}

/* How the open file differs from what it was; NULL: it does not. */
static const char *difference(const struct ofox_form_part *p,
                              const struct stat *st) {
  const struct ofox_form_mark now = mark_of(st), *was = &p->_mark;
  if (now.device != was->device || now.inode != was->inode)
    return "was replaced by another";
  if (now.size != was->size)
    return now.size < was->size ? "has become shorter" : "has become longer";
  if (now.seconds != was->seconds || now.nanoseconds != was->nanoseconds)
    return "has changed";
  return st->st_nlink == 0 ? "is no longer there" : NULL;
}

/* 0, or -1: it is not as it was. */
static int compare(struct ofox_form_part *p) {
  struct stat st;
  const char *how;
  if (fstat(p->_fd, &st) != 0)
    return unreadable(p);
  how = difference(p, &st);
  return how == NULL ? 0 : changed(p, how);
}

/* Remembers the file, which is open, as it is now. */
static int remember(struct ofox_form_part *p) {
  struct stat st;
  char byte;
  if (fstat(p->_fd, &st) != 0)
    return unreadable(p);
  if (S_ISDIR(st.st_mode))
    return fail(p, OFOX_OUTCOME_FILE_UNREADABLE, "is a directory", "");
  if (!S_ISREG(st.st_mode))
    return fail(p, OFOX_OUTCOME_FILE_UNREADABLE, "is no regular file", "");
  if (st.st_size == 0 && pread(p->_fd, &byte, 1, 0) > 0) /* as in /proc */
    return fail(p, OFOX_OUTCOME_FILE_UNREADABLE,
                "has no size before it is read", "");
  p->_mark = mark_of(&st);
  p->size = p->_mark.size;
  p->_known = 1;
  return 0;
}

static int open_part(struct ofox_form_part *p) {
  /* a pipe without a writer would block */
  int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  do
    p->_fd = open(p->path, flags);
  while (p->_fd < 0 && errno == EINTR);
  if (p->_fd < 0)
    return unreadable(p);
  if ((p->_known ? compare(p) : remember(p)) == 0)
    return 0;
  close_part(p);
  return -1;
}

/* Adding */

static char *put(char *to, const char *s, const char **field) {
  size_t n;
  if (s == NULL)
    return to;
  n = strlen(s) + 1;
  memcpy(to, s, n);
  *field = to;
  return to + n;
}

static size_t room_of(const char *s) {
  return s != NULL ? strlen(s) + 1 : 0;
}

/* A part with the texts of 'like', in one piece of memory. */
static struct ofox_form_part *add(struct ofox_form *f,
                                  const struct ofox_form_part *like,
                                  struct ofox_span bytes) {
  struct ofox_form_part *p =
      malloc(sizeof(*p) + room_of(like->name) + room_of(like->filename) +
             room_of(like->type) + room_of(like->path) + room_of(like->param) +
             bytes.n);
  char *to;
  if (p == NULL)
    return NULL;
  memset(p, 0, sizeof(*p));
  p->form = f;
  p->_fd = -1;
  p->size = bytes.n;
  to = put((char *)(p + 1), like->name, &p->name);
  to = put(to, like->filename, &p->filename);
  to = put(to, like->type, &p->type);
  to = put(to, like->path, &p->path);
  to = put(to, like->param, &p->param);
  if (bytes.n > 0)
    memcpy(to, bytes.p, bytes.n);
  p->bytes = to;
  *f->_end = p;
  f->_end = &p->next;
  return p;
}

int ofox_form_bytes(struct ofox_form *f, const char *name,
                    const char *filename, const char *type,
                    struct ofox_span bytes) {
  struct ofox_form_part like = {0};
  like.name = name;
  like.filename = filename;
  like.type = type;
  if (add(f, &like, bytes) == NULL)
    return OFOX_EMEM;
  if (filename == NULL)
    f->text += bytes.n;
  return 0;
}

int ofox_form_file(struct ofox_form *f, const char *name, const char *filename,
                   const char *type, const char *path, const char *param) {
  struct ofox_form_part like = {0}, *p;
  like.name = name;
  like.filename = filename;
  like.type = type;
  like.path = path;
  like.param = param;
  p = add(f, &like, OFOX_NOSPAN);
  if (p == NULL)
    return OFOX_EMEM;
  if (open_part(p) == 0) /* else the check before the attempt will say so */
    close_part(p);
  return 0;
}

/* Sending */

int ofox_form_check(struct ofox_form *f) {
  struct ofox_form_part *p;
  f->outcome = OFOX_OUTCOME_ANSWERED;
  f->culprit = NULL;
  f->size = 0;
  for (p = f->first; p != NULL; p = p->next) {
    close_part(p);
    if (p->path != NULL && open_part(p) != 0)
      return -1;
    close_part(p);
    f->size += p->size;
  }
  return 0;
}

const char *ofox_form_param(const struct ofox_form *f) {
  return f->outcome == OFOX_OUTCOME_FILE_UNREADABLE ||
                 f->outcome == OFOX_OUTCOME_FILE_CHANGED
             ? f->culprit->param
             : NULL;
}

/* Bytes of the file up to 'n'; -1: it has fewer, or they cannot be read. */
static long read_file(struct ofox_form_part *p, char *to, size_t n) {
  size_t done = 0;
  ssize_t got;
  if (p->_fd < 0 && open_part(p) != 0)
    return -1;
  while (done < n) {
    got = pread(p->_fd, to + done, n - done, (off_t)(p->_at + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return unreadable(p);
    if (got == 0)
      return changed(p, "has become shorter");
    done += (size_t)got;
  }
  /* before the last bytes go out, which would complete the request */
  if (p->_at + n == p->size && compare(p) != 0)
    return -1;
  return (long)n;
}

long ofox_form_read(struct ofox_form_part *p, char *to, size_t n) {
  uint64_t left = p->size - p->_at;
  if (n > left)
    n = (size_t)left;
  if (n == 0)
    return 0;
  if (p->path == NULL)
    memcpy(to, p->bytes + p->_at, n);
  else if (read_file(p, to, n) < 0)
    return -1;
  p->_at += n;
  return (long)n;
}

void ofox_form_rewind(struct ofox_form_part *p) {
  p->_at = 0;
}

void ofox_form_close(struct ofox_form *f) {
  struct ofox_form_part *p;
  for (p = f->first; p != NULL; p = p->next)
    close_part(p);
}
