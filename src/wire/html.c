#include "wire/html.h"

#include <string.h>

#include "base/utf8.h"

#define PAGE_IN (256 * 1024) /* of a page this much is read */
#define ENOUGH 4096          /* bytes of its text are */

static struct ofox_span skip(struct ofox_span s, size_t n) {
  s.p += n;
  s.n -= n;
  return s;
}

/* What follows the first 'end' in 's', nothing if there is none. */
static struct ofox_span skip_past(struct ofox_span s, const char *end) {
  size_t at = ofox_span_ifind(s, end);
  return skip(s, at == (size_t)-1 ? s.n : at + strlen(end));
}

static int is_alnum(int c) {
  c = ofox_tolower(c);
  return (c >= 'a' && c <= 'z') || ofox_isdigit(c);
}

/* The name of the tag that 's' starts with, "/p" of one that closes. */
static struct ofox_span tag_name(struct ofox_span s) {
  struct ofox_span name = skip(s, 1);
  size_t n = name.n > 0 && name.p[0] == '/';
  while (n < name.n && is_alnum((unsigned char)name.p[n]))
    n++;
  name.n = n;
  return name;
}

static int is_own_tag(struct ofox_span s) {
  static const char *const tags[] = {
      "html", "head", "body", "title", "meta",  "link",  "center", "h1",
      "h2",   "h3",   "h4",   "h5",    "h6",    "p",     "div",    "span",
      "pre",  "br",   "hr",   "font",  "table", "style", "script", "form"};
  struct ofox_span name = tag_name(s), rest = skip(s, 1 + name.n);
  size_t i;
  if (rest.n > 0 && *rest.p != '>' && *rest.p != '/' &&
      !ofox_isspace((unsigned char)*rest.p))
    return 0;
  for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
    if (ofox_span_ieq(name, tags[i]))
      return 1;
  }
  return 0;
}

int ofox_html_is(struct ofox_span type, struct ofox_span body) {
  struct ofox_span s;
  if (body.n == 0)
    return 0;
  s = ofox_span_trim(ofox_utf8_skip_bom(body));
  if (s.n == 0 || *s.p != '<')
    return 0;
  if (ofox_span_ihas_prefix(type, "text/html") ||
      ofox_span_ihas_prefix(type, "application/xhtml"))
    return 1;
  while (ofox_span_ihas_prefix(s, "<?xml") || ofox_span_ihas_prefix(s, "<!--"))
    s = ofox_span_trim(skip_past(s, s.p[1] == '?' ? "?>" : "-->"));
  return s.n > 0 && *s.p == '<' &&
         (ofox_span_ihas_prefix(s, "<!doctype html") || is_own_tag(s));
}

/* Takes a character reference off 's' and adds what it stands for. */
static int add_reference(struct ofox_buf *out, struct ofox_span *s) {
  static const char *const rows[] = {
      "&amp;",   "&", "&lt;",    "<", "&gt;",    ">",  "&quot;",  "\"",
      "&apos;",  "'", "&nbsp;",  " ", "&#34;",   "\"", "&#38;",   "&",
      "&#038;",  "&", "&#39;",   "'", "&#x27;",  "'",  "&#8211;", "-",
      "&ndash;", "-", "&#8212;", "-", "&mdash;", "-",  "&",       "&"};
  size_t i = 0;
  while (!ofox_span_ihas_prefix(*s, rows[i]))
    i += 2;
  *s = skip(*s, strlen(rows[i]));
  return ofox_buf_adds(out, rows[i + 1]);
}

static int add_blank(struct ofox_buf *out) {
  if (out->n == 0 || out->p[out->n - 1] == ' ')
    return 0;
  return ofox_buf_addc(out, ' ');
}

/*
** Takes a tag or a comment off 's', which starts with '<': its name, empty for
** a comment and the like. What no browser shows goes with the tag that opens
** it.
*/
static struct ofox_span take_tag(struct ofox_span *s) {
  struct ofox_span name = OFOX_NOSPAN;
  if (ofox_span_ihas_prefix(*s, "<!--")) {
    *s = skip_past(*s, "-->");
    return name;
  }
  name = tag_name(*s);
  *s = skip_past(*s, ">");
  if (ofox_span_ieq(name, "script"))
    *s = skip_past(skip_past(*s, "</script"), ">");
  else if (ofox_span_ieq(name, "style"))
    *s = skip_past(skip_past(*s, "</style"), ">");
  return name;
}

static int is_tag(struct ofox_span s) {
  return s.n > 1 && *s.p == '<' &&
         (is_alnum((unsigned char)s.p[1]) || memchr("/!?", s.p[1], 3) != NULL);
}

/* The text up to the tag that closes 'name', all of it if that is NULL. */
static int add_text(struct ofox_span s, const char *name,
                    struct ofox_buf *out) {
  struct ofox_span tag;
  int rc = 0;
  while (rc == 0 && s.n > 0 && out->n < ENOUGH) {
    if (is_tag(s)) {
      tag = take_tag(&s);
      if (name != NULL && tag.n > 1 && *tag.p == '/' &&
          ofox_span_ieq(skip(tag, 1), name))
        break;
      rc = add_blank(out);
    }
    else if (*s.p == '&') {
      rc = add_reference(out, &s);
    }
    else {
      rc = ofox_isspace((unsigned char)*s.p) ? add_blank(out)
                                             : ofox_buf_addc(out, *s.p);
      s = skip(s, 1);
    }
  }
  return rc;
}

/* What follows the tag that opens the first element of that name. */
static struct ofox_span inside(struct ofox_span s, const char *name) {
  const char *at;
  while (s.n > 0) {
    at = memchr(s.p, '<', s.n);
    s = skip(s, at == NULL ? s.n : (size_t)(at - s.p));
    if (!is_tag(s))
      s = skip(s, s.n > 0);
    else if (ofox_span_ieq(take_tag(&s), name))
      break;
  }
  return s;
}

static struct ofox_span read_in(struct ofox_span body) {
  return ofox_utf8_cut(ofox_utf8_skip_bom(body), PAGE_IN);
}

int ofox_html_element(struct ofox_span body, const char *name,
                      struct ofox_buf *out) {
  int rc;
  ofox_buf_clear(out);
  if (body.n == 0)
    return 0;
  rc = add_text(inside(read_in(body), name), name, out);
  return rc != 0 ? rc : ofox_span_trim(ofox_buf_span(out)).n > 0;
}

int ofox_html_words(struct ofox_span body, struct ofox_buf *out) {
  static const char *const names[] = {"title", "h1", "h2"};
  size_t i;
  int rc = 0;
  for (i = 0; i < sizeof(names) / sizeof(names[0]) && rc == 0; i++)
    rc = ofox_html_element(body, names[i], out);
  if (rc != 0 || body.n == 0)
    return rc;
  ofox_buf_clear(out);
  rc = add_text(read_in(body), NULL, out);
  return rc != 0 ? rc : ofox_span_trim(ofox_buf_span(out)).n > 0;
}
