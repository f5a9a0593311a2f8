/*
** The gateway of the guard: guard_server PAUSE COMMAND... serves on a port of
** loopback while the command runs, which finds it in OFOX_BASE_URL, and ends
** with its status. It answers PAUSE microseconds after it was asked, so that
** the client always is where it waits: what it then does, and counts, does not
** depend on which of the two was quicker. Every answer has a gateway's 18
** headers. What the request says is what comes:
**   /embeddings              one vector of 8,192 numbers, as base64
**   /messages                Anthropic's message
**   :generateContent         Gemini's answer
**   "errors"                 three times 503, then a completion, and so on
**   else                     a completion
**   "stream":true, and :streamGenerateContent   the same as a stream of 1,000
**                            events, each in an HTTP chunk of its own
*/
#define _GNU_SOURCE
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define CONNECTIONS 200
#define REQUEST 65536
#define EVENTS 1000
#define LETTERS 43691 /* of 8,192 floats, without the padding */

#define SENTENCE "A prince avenges his father.\\nHe and the court die."
#define COMPLETION                                                            \
  "{\"id\":\"chatcmpl-0a1b2c3d4e5f6071\",\"object\":\"chat.completion\","     \
  "\"created\":1764288000,\"model\":\"openai/gpt-4o\",\"choices\":[{"         \
  "\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"" SENTENCE   \
  "\",\"refusal\":null,"                                                      \
  "\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],"       \
  "\"usage\":{\"prompt_tokens\":31,\"completion_tokens\":22,"                 \
  "\"total_tokens\":53,\"prompt_tokens_details\":{\"cached_tokens\":0,"       \
  "\"audio_tokens\":0},\"completion_tokens_details\":{"                       \
  "\"reasoning_tokens\":0,\"audio_tokens\":0}},"                              \
  "\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\"}"
#define EVENT                                                                 \
  "data: {\"id\":\"chatcmpl-0a1b2c3d4e5f6071\","                              \
  "\"object\":\"chat.completion.chunk\",\"created\":1764288000,"              \
  "\"model\":\"openai/gpt-4o\",\"service_tier\":\"default\","                 \
  "\"system_fingerprint\":\"fp_0123456789\",\"choices\":[{\"index\":0,"       \
  "\"delta\":{\"content\":\" %s\"},\"logprobs\":null,"                        \
  "\"finish_reason\":null}]}\n\n"
#define MESSAGE                                                               \
  "{\"id\":\"msg_01XFDUDYJgAACzvnptvVoYEL\",\"type\":\"message\","            \
  "\"role\":\"assistant\",\"model\":\"anthropic/claude-sonnet-4.5\","         \
  "\"content\":[%s],\"stop_reason\":%s,\"stop_sequence\":null,"               \
  "\"usage\":{\"input_tokens\":31,\"cache_creation_input_tokens\":0,"         \
  "\"cache_read_input_tokens\":0,\"cache_creation\":{"                        \
  "\"ephemeral_5m_input_tokens\":0,\"ephemeral_1h_input_tokens\":0},"         \
  "\"output_tokens\":22,\"service_tier\":\"standard\"}}"
#define MESSAGE_EVENT                                                         \
  "event: content_block_delta\ndata: {\"type\":\"content_block_delta\","      \
  "\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" %s\"}}\n\n"
#define MESSAGE_END                                                           \
  "event: content_block_stop\ndata: {\"type\":\"content_block_stop\","        \
  "\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\","  \
  "\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},"          \
  "\"usage\":{\"output_tokens\":1000}}\n\nevent: message_stop\ndata: "        \
  "{\"type\":\"message_stop\"}\n\n"
#define ANSWER                                                                \
  "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\" %s\"}],"            \
  "\"role\":\"model\"},%s\"index\":0}],\"usageMetadata\":{"                   \
  "\"promptTokenCount\":31,\"candidatesTokenCount\":%d,"                      \
  "\"totalTokenCount\":%d,\"promptTokensDetails\":[{"                         \
  "\"modality\":\"TEXT\",\"tokenCount\":31}],\"thoughtsTokenCount\":212},"    \
  "\"modelVersion\":\"gemini-3-flash-preview\","                              \
  "\"responseId\":\"mAitaLmkHPPlz7IPvtfUqQ4\"}"
#define OVERLOADED                                                            \
  "{\"error\":{\"message\":\"The engine is currently overloaded, please try " \
  "again later\",\"type\":\"server_error\",\"param\":null,\"code\":null}}"

#define HEADERS                                                               \
  "Date: Fri, 28 Nov 2025 00:00:00 GMT\r\n"                                   \
  "Connection: keep-alive\r\n"                                                \
  "Server: cloudflare\r\n"                                                    \
  "openai-organization: org-guard\r\n"                                        \
  "openai-processing-ms: 287\r\n"                                             \
  "openai-version: 2020-10-01\r\n"                                            \
  "x-ratelimit-limit-requests: 5000\r\n"                                      \
  "x-ratelimit-limit-tokens: 800000\r\n"                                      \
  "x-ratelimit-remaining-requests: 4999\r\n"                                  \
  "x-ratelimit-remaining-tokens: 799942\r\n"                                  \
  "x-ratelimit-reset-requests: 12ms\r\n"                                      \
  "x-ratelimit-reset-tokens: 4ms\r\n"                                         \
  "x-request-id: req_5f1c2b7ad9384e06a1b2c3d4e5f60718\r\n"                    \
  "strict-transport-security: max-age=15552000; includeSubDomains\r\n"        \
  "x-content-type-options: nosniff\r\n"                                       \
  "cf-ray: 8f3a1b5c9d7e2046-FRA\r\n"

struct answer {
  char *p;
  size_t n;
};

static struct answer embeddings, overloaded;
/* Whole, and as a stream. */
static struct answer completion[2], message[2], gemini[2];

static struct connection {
  int fd;
  size_t n;
  char text[REQUEST];
} connections[CONNECTIONS];
static size_t count;
static unsigned long errors;
static useconds_t pause_before;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static struct answer answer_of(const char *status, const char *type,
                               const char *length, const char *body) {
  struct answer a;
  int n = asprintf(
      &a.p, "HTTP/1.1 %s\r\nContent-Type: %s\r\n%s\r\n" HEADERS "\r\n%s",
      status, type, length, body);
  if (n < 0)
    die("asprintf");
  a.n = (size_t)n;
  return a;
}

static struct answer json(const char *status, const char *body) {
  char length[64];
  snprintf(length, sizeof(length), "Content-Length: %zu", strlen(body));
  return answer_of(status, "application/json", length, body);
}

static const char *const WORDS[] = {
    "prince", "of", "Denmark", "\\n\\n", "revenge", "d\xC3\xA9j\xC3\xA0 vu"};

static size_t add_chunk(char *body, const char *text) {
  return (size_t)sprintf(body, "%x\r\n%s\r\n", (unsigned)strlen(text), text);
}

/* 'write' writes event 'i'; 'last' comes behind all of them. */
static struct answer all_events(void (*write)(char *to, int i),
                                const char *last) {
  static char body[EVENTS * 1024], event[2048];
  size_t at = 0;
  int i;
  for (i = 0; i < EVENTS; i++) {
    write(event, i);
    at += add_chunk(body + at, event);
  }
  if (*last != '\0')
    at += add_chunk(body + at, last);
  strcpy(body + at, "0\r\n\r\n");
  return answer_of("200 OK", "text/event-stream", "Transfer-Encoding: chunked",
                   body);
}

static void write_chat(char *to, int i) {
  sprintf(to, EVENT, WORDS[i % 6]);
}

/* The message begins with the first, and ends with the last. */
static void write_message(char *to, int i) {
  int n = 0;
  if (i == 0)
    n = sprintf(to,
                "event: message_start\ndata: {\"type\":\"message_start\","
                "\"message\":" MESSAGE "}\n\n"
                "event: content_block_start\ndata: {\"type\":"
                "\"content_block_start\",\"index\":0,\"content_block\":{"
                "\"type\":\"text\",\"text\":\"\"}}\n\n",
                "", "null");
  sprintf(to + n, MESSAGE_EVENT, WORDS[i % 6]);
}

static void write_gemini(char *to, int i) {
  sprintf(to, "data: " ANSWER "\n\n", WORDS[i % 6],
          i == EVENTS - 1 ? "\"finishReason\":\"STOP\"," : "", i + 1, i + 244);
}

static struct answer formatted(const char *format, ...) {
  char body[4096];
  va_list list;
  va_start(list, format);
  vsnprintf(body, sizeof(body), format, list);
  va_end(list);
  return json("200 OK", body);
}

static struct answer one_vector(void) {
  static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                            "uvwxyz0123456789+/";
  static char letters[LETTERS + 1];
  unsigned long seed = 42;
  char *body;
  int i;
  for (i = 0; i < LETTERS; i++) {
    seed = seed * 48271 % 2147483647;
    letters[i] = abc[seed % 64];
  }
  letters[LETTERS - 1] = 'A'; /* has bits that mean nothing: none are set */
  if (asprintf(&body,
               "{\"object\":\"list\",\"data\":[{\"object\":"
               "\"embedding\",\"index\":0,\"embedding\":\"%s=\"}],"
               "\"model\":\"m\",\"usage\":{\"prompt_tokens\":1,"
               "\"total_tokens\":1}}",
               letters) < 0)
    die("asprintf");
  return json("200 OK", body);
}

static const struct answer *answer_to(const char *request) {
  int streamed = strstr(request, "\"stream\":true") != NULL;
  if (strstr(request, "/embeddings HTTP"))
    return &embeddings;
  if (strstr(request, "enerateContent"))
    return &gemini[strstr(request, ":streamG") != NULL];
  if (strstr(request, "/messages HTTP"))
    return &message[streamed];
  if (strstr(request, "\"errors\"") && errors++ % 4 < 3)
    return &overloaded;
  return &completion[streamed];
}

static void serve(struct connection *c) {
  const char *body, *length;
  const struct answer *a;
  size_t sent = 0;
  ssize_t n = read(c->fd, c->text + c->n, REQUEST - 1 - c->n);
  if (n <= 0) {
    close(c->fd);
    *c = connections[--count];
    return;
  }
  c->n += (size_t)n;
  c->text[c->n] = '\0';
  body = strstr(c->text, "\r\n\r\n");
  length = strcasestr(c->text, "\r\ncontent-length:");
  if (!body || (length && strlen(body + 4) < strtoul(length + 17, NULL, 10)))
    return;
  c->n = 0;
  for (a = answer_to(c->text); sent < a->n; sent += (size_t)n)
    if ((n = send(c->fd, a->p + sent, a->n - sent, MSG_NOSIGNAL)) < 0)
      return;
}

static void serve_until(int fd, int listener) {
  struct pollfd p[CONNECTIONS + 2];
  int on = 1;
  size_t i;
  for (;;) {
    p[0].fd = fd;
    p[1].fd = listener;
    for (i = 0; i < count; i++)
      p[i + 2].fd = connections[i].fd;
    for (i = 0; i < count + 2; i++)
      p[i].events = POLLIN;
    if (poll(p, count + 2, -1) < 0)
      die("poll");
    if (p[0].revents)
      return;
    usleep(pause_before);
    for (i = count; i-- > 0;)
      if (p[i + 2].revents)
        serve(&connections[i]);
    if (p[1].revents && count < CONNECTIONS) {
      connections[count].n = 0;
      connections[count].fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
      if (connections[count].fd < 0)
        die("accept4");
      setsockopt(connections[count++].fd, IPPROTO_TCP, TCP_NODELAY, &on,
                 sizeof(on));
    }
  }
}

/* Starts the command; returns what is at its end when the command is. */
static int start(char **command, int port, pid_t *pid) {
  char url[64];
  int ends[2];
  snprintf(url, sizeof(url), "http://127.0.0.1:%d/v1", port);
  setenv("OFOX_BASE_URL", url, 1);
  if (pipe(ends) != 0 || (*pid = fork()) < 0)
    die("start");
  if (*pid == 0) {
    close(ends[0]);
    execvp(command[0], command);
    die(command[0]);
  }
  close(ends[1]);
  return ends[0];
}

int main(int argc, char **argv) {
  struct sockaddr_in at = {0};
  socklen_t size = sizeof(at);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), status;
  pid_t pid;
  if (argc < 3)
    return 1;
  pause_before = (useconds_t)strtoul(argv[1], NULL, 10);
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (listener < 0 || bind(listener, (struct sockaddr *)&at, size) != 0 ||
      listen(listener, CONNECTIONS) != 0 ||
      getsockname(listener, (struct sockaddr *)&at, &size) != 0)
    die("listen");
  completion[0] = json("200 OK", COMPLETION);
  completion[1] = all_events(write_chat, "data: [DONE]\n\n");
  message[0] =
      formatted(MESSAGE, "{\"type\":\"text\",\"text\":\"" SENTENCE "\"}",
                "\"end_turn\"");
  message[1] = all_events(write_message, MESSAGE_END);
  gemini[0] =
      formatted(ANSWER, SENTENCE, "\"finishReason\":\"STOP\",", 22, 265);
  gemini[1] = all_events(write_gemini, "");
  overloaded = json("503 Service Unavailable", OVERLOADED);
  embeddings = one_vector();
  serve_until(start(argv + 2, ntohs(at.sin_port), &pid), listener);
  if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
    return 1;
  return WEXITSTATUS(status);
}
