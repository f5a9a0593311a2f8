#include "io/header_lines.h"

#include <stdlib.h>
#include <string.h>

/* Not libcurl's option, which would decode only the first gzip member. */
#define ACCEPT "Accept-Encoding"
#define ACCEPT_OURS ACCEPT ": gzip, deflate, br"

#define OURS 4 /* lines at most that follow those of the caller */

void ofox_header_lines_free(struct ofox_header_lines *h) {
  free(h->_shared);
  ofox_buf_free(&h->_own);
  memset(h, 0, sizeof(*h));
}

static int has(const char *const *lines, const char *prefix) {
  for (; *lines != NULL; lines++) {
    if (ofox_span_ihas_prefix(ofox_span_of(*lines), prefix))
      return 1;
  }
  return 0;
}

/* Counts lines; '*bytes' becomes the size of their nodes and copies. */
static size_t count(const char *const *lines, size_t *bytes) {
  size_t n;
  *bytes = 0;
  for (n = 0; lines[n] != NULL; n++)
    *bytes += sizeof(struct curl_slist) + strlen(lines[n]) + 1;
  return n;
}

/* Links the lines into a list of 'nodes', which ends with the last one; the
** text is copied to 'text'. Returns the end of that. */
static char *chain(struct curl_slist *nodes, const char *const *lines,
                   char *text) {
  size_t i, length;
  for (i = 0; lines[i] != NULL; i++) {
    length = strlen(lines[i]) + 1;
    memcpy(text, lines[i], length);
    nodes[i].data = text;
    nodes[i].next = lines[i + 1] != NULL ? &nodes[i + 1] : NULL;
    text += length;
  }
  return text;
}

/* Lines that follow: 'ours' gets at most OURS lines and a NULL. An empty line
** keeps libcurl from adding one where the caller has none. */
static void choose(const char **ours, const char *const *lines,
                   enum ofox_sends sends) {
  size_t n = 0;
  if (!has(lines, ACCEPT))
    ours[n++] = ACCEPT_OURS;
  if (sends != OFOX_SENDS_NOTHING)
    ours[n++] = "Expect:";
  if (sends == OFOX_SENDS_BYTES && !has(lines, "Content-Type:"))
    ours[n++] = "Content-Type:";
  if (!has(lines, "Accept:"))
    ours[n++] = "Accept:";
  ours[n] = NULL;
}

int ofox_header_lines_share(struct ofox_header_lines *h,
                            const char *const *lines, enum ofox_sends sends) {
  const char *ours[OURS + 1];
  struct curl_slist *nodes;
  size_t n, n_ours, bytes, bytes_ours;
  char *text;
  choose(ours, lines, sends);
  n = count(lines, &bytes);
  n_ours = count(ours, &bytes_ours);
  ofox_header_lines_free(h);
  h->_own.cap = (size_t)-1;
  /* never of size 0 */
  nodes = malloc(bytes + bytes_ours + 1);
  if (nodes == NULL)
    return OFOX_EMEM;
  h->_shared = nodes;
  text = chain(nodes, lines, (char *)(nodes + n + n_ours));
  chain(nodes + n, ours, text);
  h->first = nodes;
  h->_before = n > 0 ? &nodes[n - 1] : NULL;
  h->_after = n_ours > 0 ? &nodes[n] : NULL;
  h->_codes = n_ours > 0 && strcmp(ours[0], ACCEPT_OURS) == 0;
  return ofox_header_lines_own(h, NULL);
}

int ofox_header_lines_own(struct ofox_header_lines *h,
                          const char *const *lines) {
  static const char *const NONE[] = {NULL};
  struct curl_slist *after = h->_after, *nodes;
  size_t n, bytes;
  if (lines == NULL)
    lines = NONE;
  n = count(lines, &bytes);
  if (h->_codes && has(lines, ACCEPT))
    after = after->next;
  ofox_buf_clear(&h->_own);
  if (n > 0) {
    if (ofox_buf_reserve(&h->_own, bytes) != 0)
      return OFOX_EMEM;
    nodes = (struct curl_slist *)(void *)h->_own.p;
    chain(nodes, lines, (char *)(nodes + n));
    nodes[n - 1].next = after;
    after = nodes;
  }
  if (h->_before != NULL)
    h->_before->next = after;
  else
    h->first = after;
  return 0;
}
