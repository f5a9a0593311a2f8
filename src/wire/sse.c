#include "wire/sse.h"

#include <string.h>

#define KEPT 1024 /* bytes a buffer may hold between two events */

void ofox_sse_init(struct ofox_sse *p, size_t cap) {
  memset(p, 0, sizeof(*p));
  p->_cap = cap;
  ofox_buf_init(&p->_line, cap);
  ofox_buf_init(&p->_data, cap);
  ofox_buf_init(&p->_type, cap);
  ofox_buf_init(&p->_id, cap);
}

void ofox_sse_free(struct ofox_sse *p) {
  ofox_buf_free(&p->_line);
  ofox_buf_free(&p->_data);
  ofox_buf_free(&p->_type);
  ofox_buf_free(&p->_id);
  p->_in = p->_single = OFOX_NOSPAN;
}

void ofox_sse_clear(struct ofox_sse *p) {
  size_t cap = p->_cap;
  int all = p->all;
  ofox_sse_free(p);
  ofox_sse_init(p, cap);
  p->all = all;
}

/* Empties a buffer, and frees memory that few events need. */
static void empty(struct ofox_buf *b) {
  if (b->n > KEPT)
    ofox_buf_free(b);
  else
    ofox_buf_clear(b);
}

static int broken(struct ofox_sse *p, int error) {
  p->error = error;
  p->reason =
      error == OFOX_ECAP ? "an event is larger than the cap" : "out of memory";
  p->_in.n = 0;
  return error;
}

static int keep(struct ofox_sse *p, struct ofox_buf *b, struct ofox_span s) {
  int rc = ofox_buf_addspan(b, s);
  return rc == 0 ? 0 : broken(p, rc);
}

/* Lines */

static void skip(struct ofox_sse *p, size_t n) {
  if (n == 0) /* there may be no bytes at all */
    return;
  p->_in.p += n;
  p->_in.n -= n;
  p->position += n;
}

/* The next 'c' of what was fed, or its end. It is looked for once: a line that
** ends in CR may be followed by many before there is an LF. */
static const char *find(const struct ofox_sse *p, const char **at, char c) {
  const char *end = p->_in.p + p->_in.n;
  if (*at == NULL || *at < p->_in.p) {
    *at = memchr(p->_in.p, c, p->_in.n);
    if (*at == NULL)
      *at = end;
  }
  return *at;
}

/* Length of the next line, or (size_t)-1: it is incomplete. */
static size_t line_length(struct ofox_sse *p) {
  const char *lf, *cr;
  if (p->_in.n == 0)
    return (size_t)-1;
  if (*p->_in.p == '\n')
    return 0;
  lf = find(p, &p->_lf, '\n');
  cr = find(p, &p->_cr, '\r');
  if (cr < lf)
    lf = cr;
  return lf == p->_in.p + p->_in.n ? (size_t)-1 : (size_t)(lf - p->_in.p);
}

/* A line of the pending event: does it still fit? */
static int take_room(struct ofox_sse *p, size_t n) {
  if (n >= p->_cap - p->_used)
    return broken(p, OFOX_ECAP);
  p->_used += n + 1;
  return 1;
}

/*
** 1: 'line' is the next one, without its end; 0: feed more; negative: broken.
** A line that began in an earlier feed is assembled in '_line'.
*/
static int next_line(struct ofox_sse *p, struct ofox_span *line) {
  size_t n;
  int last;
  if (p->_after_cr && p->_in.n > 0) {
    if (*p->_in.p == '\n')
      skip(p, 1);
    p->_after_cr = 0;
  }
  if (p->_in.n == 0 && !p->_finished)
    return 0;
  n = line_length(p);
  last = n == (size_t)-1;
  *line = p->_in;
  line->n = last ? p->_in.n : n;
  if (line->n + p->_line.n >= p->_cap - p->_used)
    return broken(p, OFOX_ECAP);
  if (p->_line.n > 0 || last) {
    if (keep(p, &p->_line, *line) != 0)
      return p->error;
    *line = ofox_buf_span(&p->_line);
  }
  if (last) {
    skip(p, p->_in.n);
    return p->_finished && p->_line.n > 0;
  }
  p->_after_cr = p->_in.p[n] == '\r';
  skip(p, n + 1);
  return 1;
}

/* Fields */

static int is_named(struct ofox_span name, const char *word, size_t n) {
  return name.n == n && memcmp(name.p, word, n) == 0;
}

/* 'in_feed': the value is in fed bytes, which stay valid for now. */
static int add_data(struct ofox_sse *p, struct ofox_span value, int in_feed) {
  int first = !p->_has_data;
  p->_has_data = 1;
  if (first && in_feed) {
    p->_single = value;
    return 0;
  }
  if (p->_single.p != NULL && keep(p, &p->_data, p->_single) != 0)
    return p->error;
  p->_single = OFOX_NOSPAN;
  if (!first && keep(p, &p->_data, ofox_span_of("\n")) != 0)
    return p->error;
  return keep(p, &p->_data, value);
}

/* 1: the line is not a field. */
static int field(struct ofox_sse *p, struct ofox_span line, int in_feed) {
  static const char data[] = "data:"; /* the start of most lines */
  struct ofox_span name = line, value = OFOX_NOSPAN;
  const char *colon =
      line.n >= sizeof(data) - 1 && memcmp(line.p, data, sizeof(data) - 1) == 0
          ? line.p + sizeof(data) - 2
          : memchr(line.p, ':', line.n);
  if (colon != NULL) {
    name.n = (size_t)(colon - line.p);
    value.p = colon + 1;
    value.n = line.n - name.n - 1;
    if (value.n > 0 && *value.p == ' ') {
      value.p++;
      value.n--;
    }
  }
  if (is_named(name, "data", 4))
    return add_data(p, value, in_feed && value.p != NULL);
  if (is_named(name, "event", 5)) {
    ofox_buf_clear(&p->_type);
    return keep(p, &p->_type, value);
  }
  if (is_named(name, "id", 2) &&
      (value.n == 0 || memchr(value.p, '\0', value.n) == NULL)) {
    ofox_buf_clear(&p->_id);
    return keep(p, &p->_id, value);
  }
  return !is_named(name, "id", 2) && !is_named(name, "retry", 5);
}

static void start_event(struct ofox_sse *p) {
  empty(&p->_data);
  empty(&p->_type);
  p->_single = OFOX_NOSPAN;
  p->_has_data = p->_given = 0;
  p->_used = 0;
}

/* The event received up to now. */
static void fill(const struct ofox_sse *p, struct ofox_sse_event *ev) {
  ev->type = ofox_buf_span(&p->_type);
  ev->data = p->_single.p != NULL ? p->_single : ofox_buf_span(&p->_data);
  ev->id = ofox_buf_span(&p->_id);
  ev->line = ev->cut = 0;
}

/* 1: the event is complete. */
static int end_event(struct ofox_sse *p, struct ofox_sse_event *ev) {
  if (!p->_has_data && !(p->all && p->_type.n > 0)) {
    start_event(p);
    return 0;
  }
  fill(p, ev);
  p->_given = 1;
  return 1;
}

static int give_line(struct ofox_span line, struct ofox_sse_event *ev) {
  ev->type = ev->id = ofox_span_of("");
  ev->data = line;
  ev->cut = 0;
  ev->line = 1;
  return 1;
}

/* One line without its end. 1: 'ev' is filled. */
static int read_line(struct ofox_sse *p, struct ofox_span line, int in_feed,
                     struct ofox_sse_event *ev) {
  int rc;
  if (!p->_past_bom) {
    p->_past_bom = 1;
    if (line.n >= 3 && memcmp(line.p, "\xEF\xBB\xBF", 3) == 0) {
      line.p += 3;
      line.n -= 3;
    }
  }
  if (line.n == 0)
    return end_event(p, ev);
  if (*line.p == ':')
    return 0;
  if (take_room(p, line.n) < 0)
    return p->error;
  rc = field(p, line, in_feed);
  return rc == 1 ? p->all && give_line(line, ev) : rc;
}

/* The caller gets its bytes back: nothing may refer to them any more. */
static int let_go(struct ofox_sse *p) {
  if (p->_single.p != NULL && keep(p, &p->_data, p->_single) != 0)
    return p->error;
  p->_single = OFOX_NOSPAN;
  p->_in = OFOX_NOSPAN;
  return 0;
}

int ofox_sse_feed(struct ofox_sse *p, const char *b, size_t n) {
  p->_in.p = b;
  p->_in.n = p->error == 0 ? n : 0;
  p->_lf = p->_cr = NULL;
  return p->error;
}

void ofox_sse_finish(struct ofox_sse *p) {
  p->_finished = 1;
}

int ofox_sse_next(struct ofox_sse *p, struct ofox_sse_event *ev) {
  struct ofox_span line;
  int rc, in_feed;
  if (p->error != 0)
    return p->error;
  if (p->_given)
    start_event(p);
  if (p->_lent)
    empty(&p->_line);
  p->_lent = 0;
  for (;;) {
    rc = next_line(p, &line);
    if (rc <= 0)
      break;
    in_feed = p->_line.n == 0;
    rc = read_line(p, line, in_feed, ev);
    p->_lent = rc == 1 && ev->line;
    if (!p->_lent)
      empty(&p->_line);
    if (rc != 0)
      return rc;
  }
  if (rc < 0)
    return rc;
  if (p->_finished && end_event(p, ev)) {
    ev->cut = 1;
    return 1;
  }
  return let_go(p);
}

int ofox_sse_pending(const struct ofox_sse *p, struct ofox_sse_event *ev) {
  if (!p->_has_data || p->_given)
    return 0;
  fill(p, ev);
  return 1;
}
