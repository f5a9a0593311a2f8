/*
** A strict walk over JSON text (RFC 8259), from its first byte to its last,
** once: values are read or entered where they stand. The one grammar of it.
** Knows nothing of the meaning of members.
*/
#ifndef OFOX_JSON_SCAN_H
#define OFOX_JSON_SCAN_H

#include "base/json_value.h"

/*
** All functions return 1 for what was found, 0 if the text is incomplete, or
** OFOX_ESYNTAX: then 'p' is the offending byte.
*/
struct ofox_json_watch;

struct ofox_json_scan {
  const char *p, *e;
  unsigned depth;
  int escapes;                   /* the string or name read last has some */
  struct ofox_json_watch *watch; /* or NULL; set after the start */
  /* the open containers, a bit each: 1 is an object */
  unsigned char _objects[(OFOX_JSON_DEPTH + 8) / 8];
  int _rc; /* of what stopped it */
};

/*
** Is shown the strings and names on the way that begin with certain bytes or
** have escapes, as they are written between their quotes. 'escapes' of the
** scan says nothing then.
*/
struct ofox_json_watch {
  const unsigned char
      *starts; /* 256 of them: not 0 where it is one of those */
  void (*see)(struct ofox_json_watch *w, struct ofox_span text, int escapes);
};

enum { OFOX_JSON_SCAN_CLOSED = 2 }; /* no more members: past the bracket */

void ofox_json_scan_start(struct ofox_json_scan *s, struct ofox_span text);
/* Nothing but blanks may follow. */
int ofox_json_scan_end(struct ofox_json_scan *s);

/* What comes next, behind blanks: its first byte, or 0 at the end. */
char ofox_json_scan_peek(struct ofox_json_scan *s);

/* Reads a whole value of any kind. */
int ofox_json_scan_value(struct ofox_json_scan *s, struct ofox_json *v);

/* Enters the object or array whose bracket was peeked. */
int ofox_json_scan_enter(struct ofox_json_scan *s);
/*
** Comes to the next member of the container that was entered last, or leaves
** it: CLOSED. 'first': none has been read yet. Of an object 'name' is the
** member's, as it is written between its quotes.
*/
int ofox_json_scan_member(struct ofox_json_scan *s, int first,
                          struct ofox_span *name);

/* Is this word a number, whole? */
int ofox_json_scan_is_number(struct ofox_span word);

/* Past a whole number that is neither 0 nor signed; 'p' if there is none. */
const char *ofox_json_scan_count(const char *p, const char *e);

/* Past the closing quote of a string whose text 'p' is at. */
int ofox_json_scan_string(struct ofox_json_scan *s);

/* First quote or backslash at or after 'p': where a plain run ends. */
const char *ofox_json_scan_plain(const char *p, const char *e);

#endif
