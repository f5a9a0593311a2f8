#include "wire/members.h"

#include <string.h>

#include "wire/words.h"

enum ofox_member ofox_members_name(struct ofox_json key) {
  static const struct ofox_word rows[] = {
#define X(id, name) {name, OFOX_MEMBER_##id},
      OFOX_MEMBER_NAMES(X)
#undef X
  };
  int what = ofox_words_find_text(rows, OFOX_NMEMBERS, key);
  return what >= 0 ? (enum ofox_member)what : OFOX_NMEMBERS;
}

void ofox_members_read(struct ofox_members *m, struct ofox_json v) {
  struct ofox_json key, child;
  enum ofox_member id;
  size_t pos = 0, n = 0;
  memset(m, 0, sizeof(*m));
  if (v.type != OFOX_JSON_OBJECT)
    return;
  m->of = v.raw.p;
  while (n++ < OFOX_MEMBERS && ofox_json_next(v, &pos, &key, &child)) {
    id = ofox_members_name(key);
    if (id != OFOX_NMEMBERS && m->at[id].type == OFOX_JSON_NONE)
      m->at[id] = child;
  }
}

enum ofox_member ofox_members_first(const struct ofox_members *m,
                                    enum ofox_member a, enum ofox_member b) {
  const struct ofox_json *x = &m->at[a], *y = &m->at[b];
  if (x->type == OFOX_JSON_NONE)
    return b;
  return y->type == OFOX_JSON_NONE || x->raw.p < y->raw.p ? a : b;
}

struct ofox_json ofox_members_either(const struct ofox_members *m,
                                     enum ofox_member a, enum ofox_member b) {
  return m->at[ofox_members_first(m, a, b)];
}
