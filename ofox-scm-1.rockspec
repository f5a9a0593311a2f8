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
    ["ofox"] = "lua/ofox/init.lua",
    ["ofox.arrive"] = "lua/ofox/arrive.lua",
    ["ofox.cancel"] = "lua/ofox/cancel.lua",
    ["ofox.check"] = "lua/ofox/check.lua",
    ["ofox.client"] = "lua/ofox/client.lua",
    ["ofox.doctor"] = "lua/ofox/doctor.lua",
    ["ofox.doctor.address"] = "lua/ofox/doctor/address.lua",
    ["ofox.doctor.key"] = "lua/ofox/doctor/key.lua",
    ["ofox.doctor.probe"] = "lua/ofox/doctor/probe.lua",
    ["ofox.doctor.proxy"] = "lua/ofox/doctor/proxy.lua",
    ["ofox.doctor.text"] = "lua/ofox/doctor/text.lua",
    ["ofox.errors"] = "lua/ofox/errors.lua",
    ["ofox.exchange"] = "lua/ofox/exchange.lua",
    ["ofox.health"] = "lua/ofox/health.lua",
    ["ofox.hints"] = "lua/ofox/hints.lua",
    ["ofox.json"] = "lua/ofox/json.lua",
    ["ofox.log"] = "lua/ofox/log.lua",
    ["ofox.loop.plain"] = "lua/ofox/loop/plain.lua",
    ["ofox.merge"] = "lua/ofox/merge.lua",
    ["ofox.loop.ngx"] = "lua/ofox/loop/ngx.lua",
    ["ofox.loop.protocol"] = "lua/ofox/loop/protocol.lua",
    ["ofox.loop.uv"] = "lua/ofox/loop/uv.lua",
    ["ofox.mock"] = "lua/ofox/mock.lua",
    ["ofox.native"] = "lua/ofox/native.lua",
    ["ofox.options"] = "lua/ofox/options.lua",
    ["ofox.reader"] = "lua/ofox/reader.lua",
    ["ofox.request"] = "lua/ofox/request.lua",
    ["ofox.resources.chat"] = "lua/ofox/resources/chat.lua",
    ["ofox.resources.embeddings"] = "lua/ofox/resources/embeddings.lua",
    ["ofox.resources.images"] = "lua/ofox/resources/images.lua",
    ["ofox.resources.models"] = "lua/ofox/resources/models.lua",
    ["ofox.resources.responses"] = "lua/ofox/resources/responses.lua",
    ["ofox.response"] = "lua/ofox/response.lua",
    ["ofox.retry"] = "lua/ofox/retry.lua",
    ["ofox.route"] = "lua/ofox/route.lua",
    ["ofox.scheduler"] = "lua/ofox/scheduler.lua",
    ["ofox.scripted"] = "lua/ofox/scripted.lua",
    ["ofox.served"] = "lua/ofox/served.lua",
    ["ofox.sse"] = "lua/ofox/sse.lua",
    ["ofox.stream"] = "lua/ofox/stream.lua",
    ["ofox.task"] = "lua/ofox/task.lua",
    ["ofox.timers"] = "lua/ofox/timers.lua",
    ["ofox.transport"] = "lua/ofox/transport.lua",
    ["ofox.try"] = "lua/ofox/try.lua",
    ["ofox.types"] = "lua/ofox/types.lua",
    ["ofox.wait"] = "lua/ofox/wait.lua",
    ["ofox.yieldable"] = "lua/ofox/yieldable.lua",
    ["ofox.core"] = {
      sources = {
        "src/buf.c", "src/utf8.c", "src/base64.c", "src/redact.c", "src/json.c", "src/jscan.c", "src/jtext.c", "src/when.c",
        "src/headers.c", "src/errors.c", "src/fault.c", "src/sse.c", "src/delta.c", "src/retry.c", "src/transcript.c", "src/stream.c", "src/answer.c", "src/reply.c", "src/history.c", "src/news.c", "src/clock.c", "src/blame.c", "src/call.c", "src/lofox.c",
        "src/names.c", "src/linterrupt.c", "src/lpin.c", "src/lcore.c", "src/lmachine.c", "src/lparts.c", "src/ljson.c",
        "src/lencode.c", "src/ldecode.c", "src/lpolish.c", "src/lerrors.c",
        "src/lretry.c", "src/lcall.c", "src/levents.c", "src/lsse.c", "src/ldelta.c",
      },
      libraries = { "m" },
    },
    ["ofox.engine"] = {
      sources = {
        "src/buf.c", "src/utf8.c", "src/base64.c", "src/redact.c", "src/json.c", "src/jscan.c", "src/jtext.c", "src/when.c",
        "src/headers.c", "src/errors.c", "src/fault.c", "src/sse.c", "src/delta.c", "src/retry.c", "src/transcript.c", "src/stream.c", "src/answer.c", "src/reply.c", "src/history.c", "src/news.c", "src/clock.c", "src/blame.c", "src/call.c", "src/lofox.c",
        "src/linterrupt.c", "src/lpin.c", "src/moment.c", "src/poller.c", "src/sockets.c", "src/sigpipe.c", "src/pool.c", "src/doors.c", "src/transfer.c", "src/outcome.c",
        "src/traffic.c",
        "src/engine.c", "src/lengine.c",
      },
      libraries = { "curl", "m" },
      incdirs = { "$(CURL_INCDIR)" },
      libdirs = { "$(CURL_LIBDIR)" },
    },
  },
  copy_directories = { "examples" },
}
test = {
  type = "command",
  command = "make test",
}
