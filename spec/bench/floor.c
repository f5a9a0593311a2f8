/*
** The least a call can cost: bare libcurl on one easy handle, no JSON.
** floor URL COUNT
*/
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t on_body(char *p, size_t size, size_t n, void *user) {
  (void)p;
  *(size_t *)user += size * n;
  return size * n;
}

int main(int argc, char **argv) {
  static const char body[] =
      "{\"model\":\"openai/gpt-4o\",\"temperature\":0.7,\"max_tokens\":256,"
      "\"messages\":[{\"role\":\"system\",\"content\":\"You are a helpful "
      "assistant.\"},{\"role\":\"user\",\"content\":\"Summarise the plot of "
      "Hamlet in two sentences, please.\"}]}";
  char url[256];
  size_t seen = 0;
  long i, count = argc > 2 ? strtol(argv[2], NULL, 10) : 1;
  CURL *h = curl_easy_init();
  struct curl_slist *headers =
      curl_slist_append(NULL, "Content-Type: application/json");
  headers = curl_slist_append(headers, "Authorization: Bearer sk-bench");
  snprintf(url, sizeof(url), "%s/chat/completions", argv[1]);
  curl_easy_setopt(h, CURLOPT_URL, url);
  curl_easy_setopt(h, CURLOPT_PROXY, "");
  curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(h, CURLOPT_POSTFIELDS, body);
  curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(h, CURLOPT_WRITEDATA, &seen);
  for (i = 0; i < count; i++) {
    if (curl_easy_perform(h) != CURLE_OK)
      return 1;
  }
  curl_easy_cleanup(h);
  curl_slist_free_all(headers);
  return seen == 0;
}
