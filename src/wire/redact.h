/*
** Redacts secrets in text: a secret is found raw, URL-encoded, in base64 (at
** each of the three alignments, both alphabets), JSON-escaped and as the
** character references of a page, and becomes ***.
** Knows nothing of where secrets come from.
*/
#ifndef OFOX_REDACT_H
#define OFOX_REDACT_H

#include "base/buf.h"
#include "wire/secret_starts.h"

#define OFOX_SECRET_MAX (64 * 1024)

/* Derived data are computed on first use. */
struct ofox_redact {
  struct ofox_buf _secrets; /* each its length as a size_t, then its bytes */
  struct ofox_buf _starts;  /* how what is searched for begins */
  struct ofox_buf _forms;   /* what is searched for */
  struct ofox_redact *_base;
};

void ofox_redact_init(struct ofox_redact *r); /* zeroed memory works too */
void ofox_redact_free(struct ofox_redact *r); /* wipes; idempotent */

/*
** 'r', which is empty, starts with the secrets of 'base', whose forms are
** shared. Until 'r' gets a secret of its own, 'base' must stay valid.
*/
void ofox_redact_begin(struct ofox_redact *r, struct ofox_redact *base);

/* 'r', which is empty, has the secrets of 'from', and its base. 0, or
** OFOX_EMEM. */
int ofox_redact_copy(struct ofox_redact *r, const struct ofox_redact *from);

/*
** A secret shorter than OFOX_SECRET_MIN, or already known, is ignored. 0,
** OFOX_EMEM, or OFOX_ECAP if it is longer than OFOX_SECRET_MAX.
*/
int ofox_redact_secret(struct ofox_redact *r, struct ofox_span secret);

/*
** Changes 'text' in place; it never grows. Overlapping secrets become one ***.
** The end of the text may have truncated a secret: OFOX_SECRET_MIN characters
** of it there are enough. 0; or OFOX_EMEM: all of the text has become ***.
*/
int ofox_redact_apply(struct ofox_redact *r, struct ofox_buf *text);

/*
** The same, but each byte of a secret becomes a '*': positions are kept. For
** callers that cut the text again.
*/
int ofox_redact_cover(struct ofox_redact *r, struct ofox_buf *text);

/* 0: neither the text nor a part of it that cuts no escape would be changed.
** 1: they may be. */
int ofox_redact_may_hold(struct ofox_redact *r, struct ofox_span text);

#endif
