/*
** A form as libcurl sends it: multipart/form-data.
** Knows nothing of attempts, or of what is in the files.
*/
#ifndef OFOX_MIME_H
#define OFOX_MIME_H

#include <curl/curl.h>

#include "io/form.h"

/*
** The form, for one handle, which must send all attempts: its boundary stays
** the same, and libcurl rewinds it. NULL without memory. 'form' outlives it.
*/
curl_mime *ofox_mime_new(CURL *easy, struct ofox_form *form);

#endif
