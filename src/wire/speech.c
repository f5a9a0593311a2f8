#include "wire/speech.h"

#include <string.h>

#include "wire/words.h"

#define DEPTH 4   /* of envelopes inside envelopes */
#define LISTED 16 /* of a list so many are asked */

/* Is there nothing but blanks between its quotes? */
static int is_blank(struct ofox_json v) {
  size_t i = 1;
  while (i < v.raw.n) {
    if (v.raw.p[i] == '\\' && i + 1 < v.raw.n &&
        memchr("nrt", v.raw.p[i + 1], 3) != NULL)
      i++;
    else if (!ofox_isspace((unsigned char)v.raw.p[i]))
      break;
    i++;
  }
  return i >= v.raw.n || v.raw.p[i] == '"';
}

static int is_hollow(struct ofox_json v, int depth) {
  struct ofox_json key, child;
  double n;
  size_t pos = 0, asked = 0;
  switch (v.type) {
  case OFOX_JSON_TRUE:
    return 0;
  case OFOX_JSON_NUMBER:
    return ofox_json_number(v, &n) && n == 0;
  case OFOX_JSON_STRING:
    return is_blank(v) ||
           ofox_words_has_text("null none nil undefined ok success 0 "
                               "\xE6\x88\x90\xE5\x8A\x9F", /* "success" */
                               v);
  case OFOX_JSON_ARRAY:
  case OFOX_JSON_OBJECT:
    while (ofox_json_next(v, &pos, &key, &child)) {
      if (depth == 0 || asked++ == LISTED || !is_hollow(child, depth - 1))
        return 0;
    }
    return 1;
  default:
    return 1;
  }
}

int ofox_speech_is_hollow(struct ofox_json v) {
  return is_hollow(v, DEPTH);
}

static struct ofox_json find(struct ofox_json v, int depth,
                             const struct ofox_members *const *known);

static struct ofox_json find_in_list(struct ofox_json v, int depth,
                                     const struct ofox_members *const *known) {
  struct ofox_json key, child, found;
  size_t pos = 0;
  int i;
  for (i = 0; i < LISTED && ofox_json_next(v, &pos, &key, &child); i++) {
    found = find(child, depth - 1, known);
    if (found.type != OFOX_JSON_NONE)
      return found;
  }
  v.type = OFOX_JSON_NONE;
  return v;
}

/* What is asked first. Names in one line are as good as each other. */
#define END OFOX_NMEMBERS
static const enum ofox_member SPEAKERS[][6] = {
    {OFOX_MEMBER_ERROR, OFOX_MEMBER_ERR, END},
    {OFOX_MEMBER_MESSAGE, END},
    {OFOX_MEMBER_DETAIL, END},
    {OFOX_MEMBER_TITLE, END},
    {OFOX_MEMBER_ERRORS, END},
    {OFOX_MEMBER_BASE_RESP, OFOX_MEMBER_FAULT, END},
    {OFOX_MEMBER_MSG, END},
    {OFOX_MEMBER_ERROR_MESSAGE, OFOX_MEMBER_ERROR_MSG, OFOX_MEMBER_ERRMSG,
     OFOX_MEMBER_ERR_MSG, OFOX_MEMBER_FAULTSTRING, END},
    {OFOX_MEMBER_STATUS_MSG, OFOX_MEMBER_STATUS_MESSAGE,
     OFOX_MEMBER_STATUS_TEXT, END},
    {OFOX_MEMBER_DETAILS, END},
    {OFOX_MEMBER_ERROR_DESCRIPTION, END},
    {OFOX_MEMBER_DESCRIPTION, END},
    {OFOX_MEMBER_REASON, OFOX_MEMBER_ERROR_REASON, END},
    {OFOX_MEMBER_EXCEPTION, END}};

static struct ofox_json
find_in_object(struct ofox_json v, int depth,
               const struct ofox_members *const *known) {
  const struct ofox_members *m;
  struct ofox_members own;
  struct ofox_json found;
  enum ofox_member first;
  size_t i, k;
  for (i = 0; known[i] != NULL && known[i]->of != v.raw.p;)
    i++;
  m = known[i];
  if (m == NULL) {
    ofox_members_read(&own, v);
    m = &own;
  }
  for (i = 0; i < sizeof(SPEAKERS) / sizeof(SPEAKERS[0]); i++) {
    first = SPEAKERS[i][0];
    for (k = 1; k < 6 && SPEAKERS[i][k] != END; k++)
      first = ofox_members_first(m, first, SPEAKERS[i][k]);
    found = find(m->at[first], depth - 1, known);
    if (found.type != OFOX_JSON_NONE)
      return found;
  }
  v.type = OFOX_JSON_NONE;
  return v;
}

static struct ofox_json find(struct ofox_json v, int depth,
                             const struct ofox_members *const *known) {
  if (v.type == OFOX_JSON_STRING && !is_blank(v))
    return v;
  if (depth > 0 && v.type == OFOX_JSON_ARRAY)
    return find_in_list(v, depth, known);
  if (depth > 0 && v.type == OFOX_JSON_OBJECT)
    return find_in_object(v, depth, known);
  v.type = OFOX_JSON_NONE;
  return v;
}

struct ofox_json ofox_speech_find(struct ofox_json v,
                                  const struct ofox_members *const *known) {
  return find(v, DEPTH, known);
}

/* Names of what is not for people. */
static int is_label(struct ofox_json key) {
  switch (ofox_members_name(key)) {
  case OFOX_MEMBER_TYPE:
  case OFOX_MEMBER_OBJECT:
  case OFOX_MEMBER_ID:
  case OFOX_MEMBER_REQUEST_ID:
  case OFOX_MEMBER_EVENT:
    return 1;
  default:
    return 0;
  }
}

static int has_words(struct ofox_json v, int depth) {
  struct ofox_json key, child;
  size_t pos = 0, n = 0;
  if (v.type == OFOX_JSON_STRING)
    return !is_blank(v);
  while (depth > 0 && n++ < OFOX_MEMBERS &&
         ofox_json_next(v, &pos, &key, &child)) {
    if (!is_label(key) && has_words(child, depth - 1))
      return 1;
  }
  return 0;
}

int ofox_speech_has_words(struct ofox_json v) {
  return has_words(v, DEPTH);
}
