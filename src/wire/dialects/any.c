/*
** Events of an unknown protocol: any JSON, until the body ends.
*/
#include "wire/dialects/walk.h"

static int read_top(struct ofox_reading *r, struct ofox_span name, int escapes,
                    void *to) {
  struct ofox_json v;
  int rc = ofox_json_scan_value(&r->s, &v);
  (void)to;
  if (rc == 1)
    ofox_walk_common(r, name, escapes, v);
  return rc;
}

static int read(struct ofox_reading *r) {
  return ofox_walk_object(r, read_top, NULL);
}

static int is_suspect(const struct ofox_reading *r, struct ofox_span type) {
  (void)r;
  (void)type;
  return 1;
}

static void judge(struct ofox_reading *r, struct ofox_span type) {
  (void)type;
  r->out->content = 1;
}

const struct ofox_dialect ofox_dialect_any = {
    .name = "any",
    .usage = "usage",
    .read = read,
    .is_suspect = is_suspect,
    .judge = judge,
};
