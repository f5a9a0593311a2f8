#include "wire/error_in_success.h"

#include <string.h>

#include "base/json.h"
#include "base/json_scan.h"
#include "base/times.h"
#include "base/utf8.h"
#include "wire/class_words.h"
#include "wire/members.h"
#include "wire/speech.h"
#include "wire/words.h"

/* The signs found in the members of an object, each a flag. */
struct signs {
  int error;   /* an object under 'error' */
  int text;    /* a text or a list there */
  int truth;   /* any other non-empty value there */
  int flagged; /* it calls itself an error */
  int denied;  /* it states that it is not a success */
  int failed;  /* the same, as the state of something */
  int code;    /* 1: not a success code; 2: an error code */
  int named;   /* members that only errors have */
  int detail;  /* and one that mostly errors have */
  int words;   /* a text for people */
  int fine;    /* it states success */
  int id;
  int other; /* any member that errors do not have */
};

/* -1: all is well; 0: it says nothing; else what signs.code says. */
static int weigh_number(double n) {
  if (n == 0 || (n >= 200 && n <= 299))
    return -1;
  return n >= 400 && n <= 599 ? 2 : 1;
}

static int weigh_code(struct ofox_json v) {
  struct ofox_span s = v.raw;
  double n;
  if (v.type == OFOX_JSON_NUMBER)
    return ofox_json_number(v, &n) ? weigh_number(n) : 0;
  if (v.type != OFOX_JSON_STRING || s.n < 3)
    return 0;
  s.p++;
  s.n -= 2;
  if (ofox_times_seconds(s, &n))
    return weigh_number(n);
  if (ofox_speech_is_hollow(v) || ofox_words_has("succeeded", s))
    return -1;
  return ofox_class_words_find(s) != OFOX_NCLASSES ? 2 : 1;
}

static void note_code(struct signs *s, int weight) {
  if (weight > s->code)
    s->code = weight;
  s->fine |= weight < 0;
}

static void note_status(struct signs *s, struct ofox_json v) {
  int weight = weigh_code(v);
  if (ofox_words_has_text("error fail failed failure", v))
    s->failed = 1;
  else if (weight != 1)
    note_code(s, weight);
  s->other |= !ofox_speech_is_hollow(v) && v.type != OFOX_JSON_NUMBER &&
              (weight == 1 || v.type != OFOX_JSON_STRING) && !s->failed;
}

/* The name of a kind of thing, which may be the kind of an error. */
static void note_kind(struct signs *s, struct ofox_json v) {
  if (ofox_words_has_text("error", v))
    s->flagged = 1;
  else if (weigh_code(v) == 2)
    note_code(s, 2);
  else
    s->other = 1;
}

static void note_error(struct signs *s, struct ofox_json v) {
  s->error |= v.type == OFOX_JSON_OBJECT;
  s->text |= v.type == OFOX_JSON_STRING || v.type == OFOX_JSON_ARRAY;
  s->truth |= v.type == OFOX_JSON_TRUE || v.type == OFOX_JSON_NUMBER;
}

static void note_success(struct signs *s, struct ofox_json v) {
  double n = 1;
  if (v.type == OFOX_JSON_FALSE || ofox_words_has_text("false", v) ||
      (ofox_json_number(v, &n) && n == 0))
    s->denied = 1;
  else
    s->fine |= v.type == OFOX_JSON_TRUE;
}

static void note_base_resp(struct signs *s, struct ofox_json v) {
  double n = 0;
  if (ofox_json_number(ofox_json_get(v, "status_code"), &n) && n != 0)
    s->denied = s->words = 1;
  else
    s->fine |= v.type == OFOX_JSON_OBJECT;
}

static void note_words(struct signs *s, struct ofox_json v) {
  s->words |= v.type != OFOX_JSON_OBJECT;
  s->other |= v.type == OFOX_JSON_OBJECT;
}

/* Members of errors that are read no further, and all that is none. */
static void note_other(struct signs *s, enum ofox_member name,
                       struct ofox_json v) {
  switch (name) {
  case OFOX_MEMBER_ERRORS:
  case OFOX_MEMBER_ERROR_MESSAGE:
  case OFOX_MEMBER_ERROR_MSG:
  case OFOX_MEMBER_ERR_MSG:
  case OFOX_MEMBER_ERROR_DESCRIPTION:
  case OFOX_MEMBER_ERROR_TYPE:
  case OFOX_MEMBER_FAULT:
  case OFOX_MEMBER_FAULTSTRING:
  case OFOX_MEMBER_EXCEPTION:
    s->named = 1;
    break;
  case OFOX_MEMBER_MESSAGE:
  case OFOX_MEMBER_MSG:
  case OFOX_MEMBER_TITLE:
  case OFOX_MEMBER_DETAILS:
  case OFOX_MEMBER_REASON:
  case OFOX_MEMBER_DESCRIPTION:
  case OFOX_MEMBER_STATUS_MSG:
  case OFOX_MEMBER_STATUS_MESSAGE:
  case OFOX_MEMBER_STATUS_TEXT:
    note_words(s, v);
    break;
  case OFOX_MEMBER_REQUEST_ID:
  case OFOX_MEMBER_TRACE_ID:
  case OFOX_MEMBER_LOG_ID:
  case OFOX_MEMBER_SID:
  case OFOX_MEMBER_TIMESTAMP:
  case OFOX_MEMBER_TIME:
  case OFOX_MEMBER_PATH:
  case OFOX_MEMBER_PARAM:
  case OFOX_MEMBER_INSTANCE:
  case OFOX_MEMBER_METADATA:
  case OFOX_MEMBER_RETRY_AFTER:
  case OFOX_MEMBER_RETRY_AFTER_MS:
    break;
  default:
    s->other = 1;
  }
}

/* A non-empty member, or one whose empty value has a meaning. */
static void note_member(struct signs *s, enum ofox_member name,
                        struct ofox_json v) {
  switch (name) {
  case OFOX_MEMBER_ERROR:
  case OFOX_MEMBER_ERR:
    note_error(s, v);
    break;
  case OFOX_MEMBER_TYPE:
  case OFOX_MEMBER_OBJECT:
    note_kind(s, v);
    break;
  case OFOX_MEMBER_CODE:
  case OFOX_MEMBER_RET:
  case OFOX_MEMBER_RET_CODE:
  case OFOX_MEMBER_STATUS_CODE:
  case OFOX_MEMBER_HTTP_STATUS:
  case OFOX_MEMBER_HTTP_CODE:
    note_code(s, weigh_code(v));
    break;
  case OFOX_MEMBER_ERROR_CODE:
  case OFOX_MEMBER_ERR_CODE:
    s->named |= weigh_code(v) > 0;
    break;
  case OFOX_MEMBER_STATUS:
  case OFOX_MEMBER_STATE:
  case OFOX_MEMBER_RESULT:
    note_status(s, v);
    break;
  case OFOX_MEMBER_BASE_RESP:
    note_base_resp(s, v);
    break;
  case OFOX_MEMBER_DETAIL:
    s->detail = 1;
    break;
  case OFOX_MEMBER_ID:
    s->id = 1;
    break;
  default:
    note_other(s, name, v);
  }
}

/* Do these say something even where there is nothing in them? */
static int tells_by_nothing(enum ofox_member name) {
  switch (name) {
  case OFOX_MEMBER_CODE:
  case OFOX_MEMBER_RET:
  case OFOX_MEMBER_RET_CODE:
  case OFOX_MEMBER_STATUS_CODE:
  case OFOX_MEMBER_STATUS:
  case OFOX_MEMBER_STATE:
  case OFOX_MEMBER_RESULT:
  case OFOX_MEMBER_BASE_RESP:
    return 1;
  default:
    return 0;
  }
}

static struct signs read_signs(struct ofox_json v) {
  struct signs s = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  struct ofox_json key, child;
  enum ofox_member name;
  size_t pos = 0, n = 0;
  while (v.type == OFOX_JSON_OBJECT && ofox_json_next(v, &pos, &key, &child)) {
    if (n++ >= OFOX_MEMBERS && !ofox_span_eq(key.raw, "\"error\""))
      continue;
    name = ofox_members_name(key);
    if (name == OFOX_MEMBER_SUCCESS || name == OFOX_MEMBER_OK ||
        name == OFOX_MEMBER_SUCCEEDED)
      note_success(&s, child);
    else if (!ofox_speech_is_hollow(child) || tells_by_nothing(name))
      note_member(&s, name, child);
  }
  return s;
}

/* It is an answer: is it also an error? */
static int says_error(const struct signs *s) {
  return s->error || s->text || s->truth || s->flagged;
}

/* It is not an answer: is it an error? */
static int is_failure(const struct signs *s) {
  if (says_error(s) || s->denied || s->failed || s->named || s->code == 2)
    return 1;
  if (s->fine)
    return 0;
  return s->detail || (s->words && (s->code == 1 || !(s->other || s->id)));
}

/* It may be anything: can it only be an error? */
static int is_surely_failure(const struct signs *s) {
  int words = s->words || s->named || s->detail;
  if (s->error || s->flagged || (s->text && !s->id))
    return 1;
  if (s->denied && words)
    return 1;
  return words && !s->other && !s->id &&
         (s->truth || s->failed || s->named || s->code == 2 ||
          (s->detail && !s->fine));
}

/* Is the value that comes next one with anything in it? */
static int has_more(struct ofox_json_scan *s) {
  char opens = ofox_json_scan_peek(s), next;
  if (opens != '[' && opens != '{' && opens != '"')
    return 0;
  s->p++;
  next = ofox_json_scan_peek(s);
  return next != '\0' && next != (opens == '['   ? ']'
                                  : opens == '{' ? '}'
                                                 : '"');
}

/* What is looked for on the way through an answer. */
struct look {
  struct ofox_json_watch watch;
  const char *due;
  struct ofox_seen *seen;
};

/* May this be "error" or "err", in whatever way it is spelt? */
static void see(struct ofox_json_watch *w, struct ofox_span text,
                int escapes) {
  struct look *l = (struct look *)w;
  if (escapes ? text.n <= sizeof("\\u0065") * sizeof("error")
              : ofox_words_has("error err", ofox_span_trim(text)))
    l->seen->doubt = 1;
}

/* Is there anything in what was due? The first of that name counts. */
static int scan_answer(struct ofox_json_scan *s, struct look *l) {
  const char *due = l->due, *at;
  struct ofox_span name = {NULL, 0};
  struct ofox_json v;
  int first = 1, rc = ofox_json_scan_enter(s);
  while (rc == 1) {
    rc = ofox_json_scan_member(s, first, &name);
    first = 0;
    if (rc == 1 && due != NULL && ofox_span_eq(name, due)) {
      at = s->p;
      l->seen->payload = has_more(s);
      s->p = at;
      due = NULL;
    }
    if (rc == 1)
      rc = ofox_json_scan_value(s, &v);
  }
  return rc == OFOX_JSON_SCAN_CLOSED ? 1 : rc;
}

static int look_at(struct ofox_json_scan *s, void *to) {
  struct look *l = to;
  struct ofox_json v;
  l->seen->object = ofox_json_scan_peek(s) == '{';
  s->watch = &l->watch;
  return l->seen->object ? scan_answer(s, l) : ofox_json_scan_value(s, &v);
}

static void look_init(struct look *l, const char *due,
                      struct ofox_seen *seen) {
  /* what the words begin with, and what is skipped before them */
  static const unsigned char starts[256] = {
      ['e'] = 1, ['E'] = 1,  ['_'] = 1,  ['-'] = 1, ['.'] = 1,
      [' '] = 1, ['\t'] = 1, ['\r'] = 1, ['\n'] = 1};
  memset(seen, 0, sizeof(*seen));
  l->watch.starts = starts;
  l->watch.see = see;
  l->due = due;
  l->seen = seen;
}

int ofox_error_in_success_check(struct ofox_span body, const char *due,
                                struct ofox_seen *seen) {
  struct look l;
  size_t pos;
  look_init(&l, due, seen);
  return ofox_json_check_by(body, &pos, look_at, &l);
}

/* The error that a choice has, or one that it says no more about. */
static int find_in_choice(struct ofox_json choice,
                          struct ofox_error_in_success *out) {
  static const char *const places[] = {NULL, "message", "delta"};
  struct ofox_json v, said;
  int ended = ofox_json_is(ofox_json_get(choice, "finish_reason"), "error");
  size_t i;
  if (ended)
    out->fallback = OFOX_CLASS_UPSTREAM;
  for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
    v = places[i] == NULL ? choice : ofox_json_get(choice, places[i]);
    said = ofox_json_get(v, "error");
    if (!ofox_speech_is_hollow(said)) {
      out->part = said.raw;
      return 1;
    }
  }
  out->part = choice.raw;
  out->part.n = 0; /* the model's text is not a message */
  return ended;
}

static int find_in_choices(struct ofox_json v,
                           struct ofox_error_in_success *out) {
  struct ofox_json choices = ofox_json_get(v, "choices"), key, choice;
  size_t pos = 0;
  if (choices.type != OFOX_JSON_ARRAY)
    return 0;
  while (ofox_json_next(choices, &pos, &key, &choice)) {
    if (choice.type == OFOX_JSON_OBJECT && find_in_choice(choice, out))
      return 1;
  }
  return 0;
}

/*
** An answer that is an error all the same has that word in it, perhaps spelt
** in escapes: the rest of them need no reading.
*/
static int may_be_error(struct ofox_span s) {
  size_t i;
  for (i = 2; i < s.n; i++) {
    if (s.p[i] == 'r' ? s.p[i - 1] == 'r' && (s.p[i - 2] | 32) == 'e'
                      : s.p[i] == 'u' && s.p[i - 1] == '\\')
      return 1;
  }
  return 0;
}

static int is_wrapper(enum ofox_member name) {
  switch (name) {
  case OFOX_MEMBER_DATA:
  case OFOX_MEMBER_RESULT:
  case OFOX_MEMBER_RESPONSE:
  case OFOX_MEMBER_BODY:
  case OFOX_MEMBER_OUTPUT:
    return 1;
  default:
    return 0;
  }
}

/* An error one level deeper, in place of the answer. */
static int find_inside(struct ofox_json v, struct ofox_error_in_success *out) {
  struct ofox_json key, child;
  struct signs s;
  size_t pos = 0, n = 0;
  while (v.type == OFOX_JSON_OBJECT && n++ < OFOX_MEMBERS &&
         ofox_json_next(v, &pos, &key, &child)) {
    if (!is_wrapper(ofox_members_name(key)))
      continue;
    s = read_signs(child);
    if (is_surely_failure(&s)) {
      out->part = child.raw;
      return 1;
    }
  }
  return 0;
}

int ofox_error_in_success_find(struct ofox_span body, const char *due,
                               struct ofox_error_in_success *out) {
  struct ofox_seen seen;
  struct ofox_json_scan s;
  struct look l;
  if (body.n == 0)
    return 0;
  look_init(&l, due, &seen);
  ofox_json_scan_start(&s, ofox_utf8_skip_bom(body));
  /* what is broken is not read in vain: it may have been cut */
  if (look_at(&s, &l) != 1)
    seen.doubt = 1;
  return ofox_error_in_success_read(body, due, &seen, out);
}

int ofox_error_in_success_read(struct ofox_span body, const char *due,
                               const struct ofox_seen *seen,
                               struct ofox_error_in_success *out) {
  struct ofox_json v;
  struct signs s;
  int failed, ended;
  if (seen->payload && (!seen->doubt || !may_be_error(body)))
    return 0;
  v = ofox_json_root(body);
  if (v.type == OFOX_JSON_ARRAY) {
    v = ofox_json_at(v, 0);
    due = NULL;
  }
  s = read_signs(v);
  failed = seen->payload ? says_error(&s)
           : due == NULL ? is_surely_failure(&s)
                         : is_failure(&s);
  out->fallback = OFOX_CLASS_INTERNAL;
  ended = find_in_choices(v, out);
  if (failed)
    out->part = body;
  if (failed || ended)
    return 1;
  return !seen->payload && due != NULL && find_inside(v, out);
}
