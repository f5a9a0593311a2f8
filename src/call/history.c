#include "call/history.h"

void ofox_history_init(struct ofox_history *h) {
  ofox_buf_init(&h->_attempts, (size_t)-1);
  ofox_buf_init(&h->_texts, (size_t)-1);
}

void ofox_history_free(struct ofox_history *h) {
  ofox_buf_free(&h->_attempts);
  ofox_buf_free(&h->_texts);
}

int ofox_history_add(struct ofox_history *h, struct ofox_attempt a,
                     struct ofox_span code, struct ofox_span request_id) {
  size_t before = h->_texts.n;
  a._code = before;
  a._code_n = code.n;
  a._id = before + code.n;
  a._id_n = request_id.n;
  if (ofox_buf_addspan(&h->_texts, code) != 0 ||
      ofox_buf_addspan(&h->_texts, request_id) != 0 ||
      ofox_buf_add(&h->_attempts, &a, sizeof(a)) != 0) {
    h->_texts.n = before;
    return OFOX_EMEM;
  }
  return 0;
}

int ofox_history_copy(struct ofox_history *to, const struct ofox_history *h) {
  int rc = ofox_buf_addspan(&to->_texts, ofox_buf_span(&h->_texts));
  return rc != 0
             ? rc
             : ofox_buf_addspan(&to->_attempts, ofox_buf_span(&h->_attempts));
}

size_t ofox_history_count(const struct ofox_history *h) {
  return h->_attempts.n / sizeof(struct ofox_attempt);
}

struct ofox_attempt *ofox_history_at(const struct ofox_history *h, size_t i) {
  return (struct ofox_attempt *)(void *)h->_attempts.p + i;
}

static struct ofox_span text(const struct ofox_history *h, size_t at,
                             size_t n) {
  struct ofox_span all = ofox_buf_span(&h->_texts);
  all.p += at;
  all.n = n;
  return all;
}

struct ofox_span ofox_history_code(const struct ofox_history *h,
                                   const struct ofox_attempt *a) {
  return text(h, a->_code, a->_code_n);
}

struct ofox_span ofox_history_request_id(const struct ofox_history *h,
                                         const struct ofox_attempt *a) {
  return text(h, a->_id, a->_id_n);
}

struct ofox_attempt *ofox_history_last(const struct ofox_history *h) {
  size_t n = ofox_history_count(h);
  return n == 0 ? NULL : ofox_history_at(h, n - 1);
}

void ofox_history_drop_last(struct ofox_history *h) {
  if (h->_attempts.n > 0)
    h->_attempts.n -= sizeof(struct ofox_attempt);
}
