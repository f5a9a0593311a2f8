/*
** What a request with files consists of: fields, bytes and files of the disk,
** which are read in pieces. A file is sent as it was when it was added: one
** that has changed since, or is gone, stops the reading before its last byte.
** Knows nothing of libcurl, of how the parts are joined, or of attempts.
*/
#ifndef OFOX_FORM_H
#define OFOX_FORM_H

#include <stdint.h>

#include "base/buf.h"
#include "wire/outcomes.h"

#define OFOX_FORM_WHY 512 /* bytes of a message; a long path is cut */

/* Which file it was, and in which state. */
struct ofox_form_mark {
  uint64_t device, inode, size;
  int64_t seconds, nanoseconds; /* of its last modification */
};

struct ofox_form_part {
  struct ofox_form *form;
  struct ofox_form_part *next;
  const char *name, *filename, *type; /* the last two may be NULL */
  const char *path;                   /* NULL: it is 'bytes' */
  const char *param; /* of a file: what the program calls it */
  const char *bytes;
  uint64_t size;
  uint64_t _at; /* read so far */
  struct ofox_form_mark _mark;
  int _known; /* the mark is that of the file when it was added */
  int _fd;    /* open while it is read; else -1 */
};

struct ofox_form {
  struct ofox_form_part *first, **_end;
  uint64_t size; /* of the contents of all parts; to be read when checked */
  uint64_t text; /* of fields alone */
  /* why it cannot be sent, with the part; ANSWERED: it can */
  enum ofox_outcome outcome;
  const struct ofox_form_part *culprit;
  char why[OFOX_FORM_WHY]; /* for ofox_call_end, which it replaces */
};

void ofox_form_init(struct ofox_form *f);
void ofox_form_free(struct ofox_form *f); /* idempotent; it is empty then */

/* Adds a part, of which everything is copied; names end with NUL, and both
** later ones may be NULL. 0 or OFOX_EMEM. */
int ofox_form_bytes(struct ofox_form *f, const char *name,
                    const char *filename, const char *type,
                    struct ofox_span bytes);
int ofox_form_file(struct ofox_form *f, const char *name, const char *filename,
                   const char *type, const char *path, const char *param);

/* Are all files readable and as they were? 0, or -1: see 'outcome'. */
int ofox_form_check(struct ofox_form *f);
/* What the program calls the file that is at fault; NULL: none is. */
const char *ofox_form_param(const struct ofox_form *f);

/* Reads on: the number of bytes, 0 at the end; -1: see 'outcome'. */
long ofox_form_read(struct ofox_form_part *p, char *to, size_t n);
void ofox_form_rewind(struct ofox_form_part *p);
/* Closes all files, until they are read again. */
void ofox_form_close(struct ofox_form *f);

#endif
