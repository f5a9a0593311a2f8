/*
** The meaningful members in the bodies of failures, under the names that
** servers use.
** Knows nothing of their meaning.
*/
#ifndef OFOX_MEMBERS_H
#define OFOX_MEMBERS_H

#include "base/json.h"
#include "wire/member_names.h"

/* The limit of members of an object that are examined: few bytes on the wire
** can be millions of members. */
#define OFOX_MEMBERS 1000

enum ofox_member {
#define X(id, name) OFOX_MEMBER_##id,
  OFOX_MEMBER_NAMES(X)
#undef X
      OFOX_NMEMBERS /* none of them */
};

/* The first of each name in an object; NONE where there is none. */
struct ofox_members {
  struct ofox_json at[OFOX_NMEMBERS];
  const char *of; /* where the object starts; NULL: it was none */
};

/* Case and '_', '-', '.', ' ' in the name make no difference. */
enum ofox_member ofox_members_name(struct ofox_json key);

/* A value that is not an object has none. */
void ofox_members_read(struct ofox_members *m, struct ofox_json v);

/* Which of the two came first. */
enum ofox_member ofox_members_first(const struct ofox_members *m,
                                    enum ofox_member a, enum ofox_member b);
/* What is there. */
struct ofox_json ofox_members_either(const struct ofox_members *m,
                                     enum ofox_member a, enum ofox_member b);

#endif
