#include "call/tape.h"

#include <string.h>

void ofox_tape_init(struct ofox_tape *t) {
  ofox_buf_init(&t->_moments, (size_t)-1);
  t->no_memory = 0;
}

void ofox_tape_free(struct ofox_tape *t) {
  ofox_buf_free(&t->_moments);
}

void ofox_tape_clear(struct ofox_tape *t) {
  ofox_buf_clear(&t->_moments);
  t->no_memory = 0;
}

void ofox_tape_keep(struct ofox_tape *t, enum ofox_moment_kind kind,
                    enum ofox_outcome outcome, int flag, double at,
                    struct ofox_span text) {
  struct ofox_buf *b = &t->_moments;
  struct ofox_moment m;
  memset(&m, 0, sizeof(m));
  m.kind = kind;
  m.flag = flag;
  m.outcome = outcome;
  m.at = at;
  m.text = text;
  if (!t->no_memory && ofox_buf_reserve(b, sizeof(m) + text.n) == 0) {
    ofox_buf_add(b, &m, sizeof(m));
    ofox_buf_addspan(b, text);
  }
  else {
    t->no_memory = 1;
  }
}

int ofox_tape_next(const struct ofox_tape *t, size_t *pos,
                   struct ofox_moment *out) {
  if (*pos >= t->_moments.n)
    return 0;
  memcpy(out, t->_moments.p + *pos, sizeof(*out));
  *pos += sizeof(*out);
  out->text.p = t->_moments.p + *pos;
  *pos += out->text.n;
  return 1;
}
