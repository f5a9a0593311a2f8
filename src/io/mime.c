#include "io/mime.h"

#include <stdio.h>

static size_t read_part(char *to, size_t size, size_t n, void *part) {
  long got = ofox_form_read(part, to, size * n);
  return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

/* libcurl only rewinds. */
static int seek_part(void *part, curl_off_t to, int origin) {
  if (to != 0 || origin != SEEK_SET)
    return CURL_SEEKFUNC_FAIL;
  ofox_form_rewind(part);
  return CURL_SEEKFUNC_OK;
}

static CURLcode add(curl_mime *mime, struct ofox_form_part *p) {
  curl_mimepart *part = curl_mime_addpart(mime);
  CURLcode rc = part != NULL ? CURLE_OK : CURLE_OUT_OF_MEMORY;
  ofox_form_rewind(p);
  if (rc == CURLE_OK)
    rc = curl_mime_name(part, p->name);
  if (rc == CURLE_OK && p->filename != NULL)
    rc = curl_mime_filename(part, p->filename);
  if (rc == CURLE_OK && p->type != NULL)
    rc = curl_mime_type(part, p->type);
  if (rc == CURLE_OK)
    rc = curl_mime_data_cb(part, (curl_off_t)p->size, read_part, seek_part,
                           NULL, p);
  return rc;
}

curl_mime *ofox_mime_new(CURL *easy, struct ofox_form *form) {
  curl_mime *mime = curl_mime_init(easy);
  struct ofox_form_part *p;
  if (mime == NULL)
    return NULL;
  for (p = form->first; p != NULL; p = p->next) {
    if (add(mime, p) != CURLE_OK) { /* nothing else can be wrong */
      curl_mime_free(mime);
      return NULL;
    }
  }
  return mime;
}
