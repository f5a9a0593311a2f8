#include "wire/envelope.h"

#include "wire/speech.h"

void ofox_envelope_init(struct ofox_envelope *e) {
  ofox_buf_init(&e->_opened, (size_t)-1);
}

void ofox_envelope_free(struct ofox_envelope *e) {
  ofox_buf_free(&e->_opened);
}

/* The object encoded in a string; NONE if it is not one. */
static struct ofox_json open_string(struct ofox_envelope *e,
                                    struct ofox_json v) {
  struct ofox_span s;
  size_t pos;
  int taken = e->_opened.n > 0; /* its contents are in use */
  if (!taken)
    e->_rc |= ofox_json_text(v, &e->_opened);
  s = ofox_span_trim(ofox_buf_span(&e->_opened));
  v.type = OFOX_JSON_NONE;
  if (!taken && s.n > 0 && *s.p == '{' && ofox_json_check(s, &pos) == 1)
    v = ofox_json_root(s);
  return v;
}

/* A member as an object: itself, the first of a list, the text of one. */
static struct ofox_json as_object(struct ofox_envelope *e,
                                  struct ofox_json child) {
  if (child.type == OFOX_JSON_ARRAY)
    child = ofox_json_at(child, 0);
  else if (child.type == OFOX_JSON_STRING)
    child = open_string(e, child);
  if (child.type != OFOX_JSON_OBJECT || ofox_speech_is_hollow(child))
    child.type = OFOX_JSON_NONE;
  return child;
}

/* The object with code, type and param: the top level by default. */
static struct ofox_json find_error(struct ofox_envelope *e) {
  const struct ofox_members *top = &e->top_has;
  struct ofox_json v, deeper;
  v = ofox_members_either(top, OFOX_MEMBER_ERROR, OFOX_MEMBER_ERR);
  v = as_object(e, v);
  if (v.type != OFOX_JSON_NONE)
    return v;
  v = as_object(e, top->at[OFOX_MEMBER_BASE_RESP]);
  if (v.type != OFOX_JSON_NONE) {
    e->numbering = OFOX_NUMBERING_MINIMAX;
    return v;
  }
  if (top->at[OFOX_MEMBER_CODE].type != OFOX_JSON_NONE ||
      top->at[OFOX_MEMBER_ERROR_CODE].type != OFOX_JSON_NONE)
    return e->top;
  v = as_object(e, top->at[OFOX_MEMBER_ERRORS]);
  if (v.type != OFOX_JSON_NONE)
    return v;
  v = ofox_members_either(top, OFOX_MEMBER_DETAIL, OFOX_MEMBER_FAULT);
  ofox_members_read(&e->_has, v);
  deeper = e->_has.at[OFOX_MEMBER_ERROR];
  if (deeper.type == OFOX_JSON_OBJECT)
    v = deeper;
  return v.type == OFOX_JSON_OBJECT ? v : e->top;
}

int ofox_envelope_open(struct ofox_envelope *e) {
  struct ofox_json v;
  size_t pos;
  e->_rc = 0;
  e->root = ofox_json_root(e->body);
  if (e->root.type == OFOX_JSON_STRING) {
    v = open_string(e, e->root);
    if (v.type != OFOX_JSON_NONE) {
      e->root = v;
      e->body = v.raw;
    }
  }
  e->top = e->root;
  if (e->top.type == OFOX_JSON_ARRAY)
    e->top = ofox_json_at(e->top, 0);
  else if (e->top.type != OFOX_JSON_OBJECT &&
           ofox_json_check(e->body, &pos) < 0)
    e->root.type = e->top.type = OFOX_JSON_NONE;
  ofox_members_read(&e->top_has, e->top);
  e->error = find_error(e);
  e->error_has = &e->top_has;
  if (e->error.raw.p != e->top.raw.p) {
    ofox_members_read(&e->_has, e->error);
    e->error_has = &e->_has;
  }
  return e->_rc;
}
