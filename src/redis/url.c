#include "redis/url.h"

#include <string.h>

#define PORT 6379
#define MOST_DATABASES 1000000L
#define LONGEST_PATH 107 /* of a unix socket on Linux; less elsewhere */
#define LONGEST_HOST 255
#define LONGEST_SECRET 65536

static int is_given(struct ofox_span *s, const char *prefix) {
  if (!ofox_span_ihas_prefix(*s, prefix))
    return 0;
  s->p += strlen(prefix);
  s->n -= strlen(prefix);
  return 1;
}

/* Offset of the first, or the last, 'c'; n if there is none. */
static size_t find(struct ofox_span s, char c) {
  const char *at = s.n == 0 ? NULL : memchr(s.p, c, s.n);
  return at == NULL ? s.n : (size_t)(at - s.p);
}

static size_t find_last(struct ofox_span s, char c) {
  size_t i = s.n;
  while (i > 0 && s.p[i - 1] != c)
    i--;
  return i == 0 ? s.n : i - 1;
}

/* Takes what is before offset 'at' from the beginning of 's', and the byte
** there, if there is one. */
static struct ofox_span cut(struct ofox_span *s, size_t at) {
  struct ofox_span head = {s->p, at};
  size_t gone = at < s->n ? at + 1 : at;
  s->p += gone;
  s->n -= gone;
  return head;
}

/* Decimal digits alone, up to 'most': the number, or -1. */
static long number(struct ofox_span s, long most) {
  long v = 0;
  size_t i;
  if (s.n == 0)
    return -1;
  for (i = 0; i < s.n; i++) {
    if (!ofox_isdigit((unsigned char)s.p[i]))
      return -1;
    v = v * 10 + (s.p[i] - '0');
    if (v > most)
      return -1;
  }
  return v;
}

static int hex(char c) {
  const char *digits = "0123456789abcdef", *at;
  at = c == '\0' ? NULL : strchr(digits, ofox_tolower((unsigned char)c));
  return at == NULL ? -1 : (int)(at - digits);
}

/* Adds 's' without percent-encoding, and a NUL that does not count. */
static int decode(struct ofox_buf *out, struct ofox_span s, size_t cap) {
  size_t i;
  int rc = 0;
  ofox_buf_init(out, cap + 1);
  for (i = 0; i < s.n && rc == 0; i++) {
    int c = (unsigned char)s.p[i];
    if (c == '%') {
      int high = i + 2 < s.n ? hex(s.p[i + 1]) : -1;
      int low = high < 0 ? -1 : hex(s.p[i + 2]);
      i += 2;
      c = low < 0 ? -1 : high * 16 + low;
    }
    if (c <= 0)
      return OFOX_ESYNTAX;
    rc = ofox_buf_addc(out, (char)c);
  }
  if (rc == 0)
    rc = ofox_buf_addc(out, '\0');
  if (rc != 0)
    return rc == OFOX_ECAP ? OFOX_ESYNTAX : rc;
  out->n--;
  return 0;
}

static int read_secrets(struct ofox_redis_url *u, struct ofox_span *rest,
                        const char **problem) {
  size_t at = find_last(*rest, '@');
  struct ofox_span who, user;
  int rc;
  if (at == rest->n)
    return 0;
  who = cut(rest, at);
  *problem = "user and password: expected user:password@ before the host, "
             "percent-encoded";
  if (find(who, ':') == who.n)
    return OFOX_ESYNTAX;
  user = cut(&who, find(who, ':'));
  u->has_password = 1;
  rc = decode(&u->user, user, LONGEST_SECRET);
  if (rc == 0)
    rc = decode(&u->password, who, LONGEST_SECRET);
  return rc != 0 || u->password.n > 0 ? rc : OFOX_ESYNTAX;
}

static int is_host(struct ofox_span s, int bracketed) {
  size_t i;
  for (i = 0; i < s.n; i++) {
    char c = s.p[i];
    int plain = ofox_isdigit((unsigned char)c) || c == '.' ||
                (ofox_tolower((unsigned char)c) >= 'a' &&
                 ofox_tolower((unsigned char)c) <= 'z');
    if (!plain && (bracketed ? c != ':' && c != '%' : c != '-' && c != '_'))
      return 0;
  }
  return s.n > 0 && s.n <= LONGEST_HOST;
}

static int read_host(struct ofox_redis_url *u, struct ofox_span s,
                     const char **problem) {
  int bracketed = s.n > 0 && s.p[0] == '[', rc;
  struct ofox_span host;
  *problem = "host: expected a name, an address of IPv4, or one of IPv6 in "
             "brackets";
  if (bracketed) {
    cut(&s, 0);
    if (find(s, ']') == s.n)
      return OFOX_ESYNTAX;
    host = cut(&s, find(s, ']'));
    if (s.n > 0 && s.p[0] != ':')
      return OFOX_ESYNTAX;
    if (s.n > 0)
      cut(&s, 0);
    else
      s.p = NULL;
  }
  else if (find(s, ':') < s.n) {
    host = cut(&s, find(s, ':'));
  }
  else {
    host = s;
    s.p = NULL;
  }
  if (!is_host(host, bracketed))
    return OFOX_ESYNTAX;
  ofox_buf_init(&u->host, LONGEST_HOST + 1);
  rc = ofox_buf_addspan(&u->host, host);
  if (rc == 0)
    rc = ofox_buf_addc(&u->host, '\0');
  if (rc != 0)
    return rc;
  u->host.n--;
  *problem = "port: expected a number from 1 to 65535 after the host's colon";
  u->port = s.p == NULL ? PORT : (int)number(s, 65535);
  return u->port < 1 ? OFOX_ESYNTAX : 0;
}

static int read_database(struct ofox_redis_url *u, struct ofox_span s,
                         const char **problem) {
  *problem = "database: expected a number from 0 on";
  u->database = number(s, MOST_DATABASES);
  return u->database < 0 ? OFOX_ESYNTAX : 0;
}

static int read_unix(struct ofox_redis_url *u, struct ofox_span s,
                     const char **problem) {
  struct ofox_span path, before = cut(&s, find(s, '?'));
  size_t slash;
  int rc;
  if (s.n > 0) {
    *problem = "query: expected nothing but db=, with a number from 0 on";
    if (!is_given(&s, "db="))
      return OFOX_ESYNTAX;
    rc = read_database(u, s, problem);
    if (rc != 0)
      return rc;
  }
  slash = find(before, '/');
  path = before;
  path.p += slash;
  path.n -= slash;
  before.n = slash;
  rc = read_secrets(u, &before, problem);
  if (rc != 0)
    return rc;
  *problem = "path: expected unix:// and the socket's absolute path, of at "
             "most 107 bytes";
  if (before.n > 0 || path.n < 2)
    return OFOX_ESYNTAX;
  return decode(&u->path, path, LONGEST_PATH);
}

static int read_network(struct ofox_redis_url *u, struct ofox_span s,
                        const char **problem) {
  /* a bare slash in a password does not end the host */
  size_t at = find_last(s, '@'), begin = at < s.n ? at + 1 : 0;
  struct ofox_span host = {s.p + begin, s.n - begin};
  struct ofox_span where = cut(&s, begin + find(host, '/'));
  int rc = read_secrets(u, &where, problem);
  if (rc == 0)
    rc = read_host(u, where, problem);
  if (rc == 0 && s.n > 0)
    rc = read_database(u, s, problem);
  return rc;
}

int ofox_redis_url_read(struct ofox_redis_url *u, struct ofox_span text,
                        const char **problem) {
  memset(u, 0, sizeof(*u));
  *problem = "expected redis://[user:password@]host[:port][/database], "
             "rediss://\xE2\x80\xA6 or unix:///path[?db=database]";
  if (is_given(&text, "unix://"))
    return read_unix(u, text, problem);
  u->tls = is_given(&text, "rediss://");
  if (!u->tls && !is_given(&text, "redis://"))
    return OFOX_ESYNTAX;
  return read_network(u, text, problem);
}

void ofox_redis_url_free(struct ofox_redis_url *u) {
  ofox_buf_free(&u->host);
  ofox_buf_free(&u->path);
  ofox_buf_free(&u->user);
  ofox_buf_free(&u->password);
}
