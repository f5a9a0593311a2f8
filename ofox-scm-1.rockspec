rockspec_format = "3.0"
package = "ofox"
version = "scm-1"
source = {
  url = "git+https://github.com/ofoxai/lua-ofox.git",
}
description = {
  summary = "Client of the OfoxAI gateway: errors understood, retries timed right",
  detailed = "Calls many models through the OpenAI-compatible gateway of OfoxAI. C core on libcurl.",
  license = "MIT",
  labels = { "ai", "llm", "http", "client" },
}
dependencies = {
  "lua >= 5.1, < 5.5",
}
-- Debian keeps curl/curl.h where the compiler finds it but LuaRocks does not
-- look: the library alone is asked for.
external_dependencies = {
  CURL = { library = "curl" },
}
build = {
  type = "builtin",
  modules = {
    ["ofox.core"] = {
      sources = {
        "src/buf.c", "src/utf8.c", "src/base64.c", "src/redact.c", "src/json.c", "src/when.c",
        "src/headers.c", "src/errors.c", "src/delta.c", "src/retry.c", "src/history.c", "src/call.c", "src/lofox.c",
        "src/linterrupt.c", "src/lcore.c", "src/lparts.c", "src/ljson.c", "src/lerrors.c",
        "src/lretry.c", "src/lcall.c",
      },
      libraries = { "m" },
    },
    ["ofox.engine"] = {
      sources = {
        "src/buf.c", "src/utf8.c", "src/base64.c", "src/redact.c", "src/json.c", "src/when.c",
        "src/headers.c", "src/errors.c", "src/delta.c", "src/retry.c", "src/history.c", "src/call.c", "src/lofox.c",
        "src/linterrupt.c", "src/poller.c", "src/sockets.c", "src/sigpipe.c", "src/transfer.c",
        "src/engine.c", "src/lengine.c",
      },
      libraries = { "curl", "m" },
      incdirs = { "$(CURL_INCDIR)" },
      libdirs = { "$(CURL_LIBDIR)" },
    },
  },
  copy_directories = { "doc", "examples" },
}
test = {
  type = "command",
  command = "make test",
}
