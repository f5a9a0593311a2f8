rockspec_format = "3.0"
package = "ofox"
version = "0.1.0-1"
source = {
  url = "git+https://github.com/ofoxai/lua-ofox.git",
  tag = "v0.1.0",
}
description = {
  summary = "Client of the OfoxAI gateway: errors understood, retries timed right",
  detailed = "Calls many models through the OpenAI-compatible gateway of OfoxAI. C core on libcurl.",
  homepage = "https://github.com/ofoxai/lua-ofox",
  issues_url = "https://github.com/ofoxai/lua-ofox/issues",
  license = "MIT",
  labels = { "ai", "llm", "http", "client" },
}
dependencies = {
  "lua >= 5.1, < 5.5",
}
-- Debian keeps curl/curl.h where the compiler finds it but LuaRocks does not
-- look: the libraries alone are asked for.
external_dependencies = {
  BROTLI = { library = "brotlidec" },
  CURL = { library = "curl" },
  ZLIB = { library = "z" },
}
-- The floors that both C modules stand on, and what is each one's own.
local floors = {
  "src/base/base64.c", "src/base/buf.c", "src/base/decimal.c", "src/base/half_char.c", "src/base/json.c",
  "src/base/json_escape.c", "src/base/json_number.c", "src/base/json_put.c", "src/base/json_scan.c",
  "src/base/json_string.c", "src/base/json_text.c", "src/base/sorted_names.c", "src/base/times.c",
  "src/base/unescape.c", "src/base/utf8.c", "src/wire/body_delay.c", "src/wire/class_words.c", "src/wire/classes.c",
  "src/wire/content_text.c", "src/wire/delta.c", "src/wire/envelope.c", "src/wire/error.c",
  "src/wire/error_in_success.c", "src/wire/headers.c", "src/wire/html.c", "src/wire/members.c", "src/wire/redact.c",
  "src/wire/request_lists.c", "src/wire/secret_starts.c", "src/wire/speech.c", "src/wire/sse.c", "src/wire/statuses.c",
  "src/wire/stray_lines.c", "src/wire/words.c", "src/policy/breaker.c", "src/policy/budget.c",
  "src/policy/histogram.c", "src/policy/hold.c", "src/policy/pace.c", "src/policy/rates.c", "src/policy/retry.c",
  "src/policy/stats.c", "src/policy/turns.c", "src/policy/window.c", "src/call/call.c",
  "src/call/dead_connection.c", "src/call/event_queue.c", "src/call/failure.c", "src/call/fallback.c",
  "src/call/history.c", "src/call/ready_list.c", "src/call/response.c", "src/call/time_limits.c",
  "src/call/transcript.c", "src/call/verdict.c",
}
local core = {
  "src/io/clocks.c", "src/io/forks.c", "src/lua/lattempt.c", "src/lua/lbuffer.c", "src/lua/lcall.c",
  "src/lua/lcore.c", "src/lua/ldecode.c", "src/lua/ldelta.c", "src/lua/lencode.c", "src/lua/lerrors.c",
  "src/lua/levents.c", "src/lua/lfloats.c", "src/lua/lforeign.c", "src/lua/lheaders.c", "src/lua/linterrupt.c",
  "src/lua/ljoin.c", "src/lua/ljson.c", "src/lua/lmachine.c", "src/lua/lmarks.c", "src/lua/lnames.c",
  "src/lua/lnumber.c", "src/lua/lofox.c", "src/lua/lpath.c", "src/lua/lpin.c", "src/lua/lplan.c", "src/lua/lpolish.c",
  "src/lua/lretry.c", "src/lua/lsettings.c", "src/lua/lsse.c", "src/lua/ltemplate.c", "src/lua/ltext.c",
  "src/lua/ltimes.c",
}
local engine = {
  "src/io/clocks.c", "src/io/connect_turns.c", "src/io/connecting.c", "src/io/connections.c",
  "src/io/content_coding.c", "src/io/curl_codes.c", "src/io/curl_options.c", "src/io/drain.c", "src/io/engine.c",
  "src/io/forks.c", "src/io/guests.c", "src/io/handles.c", "src/io/header_lines.c", "src/io/poller.c", "src/io/receive.c",
  "src/io/sigpipe.c", "src/io/sockets.c", "src/io/socks_codes.c", "src/io/tls_files.c", "src/io/traffic.c",
  "src/io/transfer.c", "src/io/transfers.c", "src/lua/lengine.c", "src/lua/linterrupt.c", "src/lua/lofox.c",
  "src/lua/lpin.c",
}

local function sources(own)
  local list = {}
  for i = 1, #floors do list[i] = floors[i] end
  for i = 1, #own do list[#floors + i] = own[i] end
  return list
end

build = {
  type = "builtin",
  modules = {
    ["ofox.answer.accessors"] = "lua/ofox/answer/accessors.lua",
    ["ofox.answer.accumulate"] = "lua/ofox/answer/accumulate.lua",
    ["ofox.answer.collect"] = "lua/ofox/answer/collect.lua",
    ["ofox.answer.dialect.chat"] = "lua/ofox/answer/dialect/chat.lua",
    ["ofox.answer.dialect.responses"] = "lua/ofox/answer/dialect/responses.lua",
    ["ofox.answer.elements"] = "lua/ofox/answer/elements.lua",
    ["ofox.answer.partial"] = "lua/ofox/answer/partial.lua",
    ["ofox.answer.pieces"] = "lua/ofox/answer/pieces.lua",
    ["ofox.answer.response"] = "lua/ofox/answer/response.lua",
    ["ofox.base.anchor"] = "lua/ofox/base/anchor.lua",
    ["ofox.base.character"] = "lua/ofox/base/character.lua",
    ["ofox.base.copy"] = "lua/ofox/base/copy.lua",
    ["ofox.base.describe"] = "lua/ofox/base/describe.lua",
    ["ofox.base.gateway"] = "lua/ofox/base/gateway.lua",
    ["ofox.base.log"] = "lua/ofox/base/log.lua",
    ["ofox.base.lua"] = "lua/ofox/base/lua.lua",
    ["ofox.base.memory"] = "lua/ofox/base/memory.lua",
    ["ofox.base.native"] = "lua/ofox/base/native.lua",
    ["ofox.base.reserve"] = "lua/ofox/base/reserve.lua",
    ["ofox.base.traceback"] = "lua/ofox/base/traceback.lua",
    ["ofox.base.try"] = "lua/ofox/base/try.lua",
    ["ofox.base.unbuilt"] = "lua/ofox/base/unbuilt.lua",
    ["ofox.base.uncompiled"] = "lua/ofox/base/uncompiled.lua",
    ["ofox.base.where"] = "lua/ofox/base/where.lua",
    ["ofox.base.yieldable"] = "lua/ofox/base/yieldable.lua",
    ["ofox.call.deliver"] = "lua/ofox/call/deliver.lua",
    ["ofox.call.driver"] = "lua/ofox/call/driver.lua",
    ["ofox.call.hooks"] = "lua/ofox/call/hooks.lua",
    ["ofox.call.on_retry"] = "lua/ofox/call/on_retry.lua",
    ["ofox.call.outcome"] = "lua/ofox/call/outcome.lua",
    ["ofox.call.reader"] = "lua/ofox/call/reader.lua",
    ["ofox.call.stream"] = "lua/ofox/call/stream.lua",
    ["ofox.client"] = "lua/ofox/client.lua",
    ["ofox.doctor"] = "lua/ofox/doctor.lua",
    ["ofox.doctor.address"] = "lua/ofox/doctor/address.lua",
    ["ofox.doctor.key"] = "lua/ofox/doctor/key.lua",
    ["ofox.doctor.probe"] = "lua/ofox/doctor/probe.lua",
    ["ofox.doctor.proxy"] = "lua/ofox/doctor/proxy.lua",
    ["ofox.doctor.text"] = "lua/ofox/doctor/text.lua",
    ["ofox.errors"] = "lua/ofox/errors.lua",
    ["ofox.health"] = "lua/ofox/health.lua",
    ["ofox.hints"] = "lua/ofox/hints.lua",
    ["ofox"] = "lua/ofox/init.lua",
    ["ofox.json"] = "lua/ofox/json.lua",
    ["ofox.later"] = "lua/ofox/later.lua",
    ["ofox.loop.ngx"] = "lua/ofox/loop/ngx.lua",
    ["ofox.loop.ngx_poller"] = "lua/ofox/loop/ngx_poller.lua",
    ["ofox.loop.ngx_thread"] = "lua/ofox/loop/ngx_thread.lua",
    ["ofox.loop.protocol"] = "lua/ofox/loop/protocol.lua",
    ["ofox.loop.uv"] = "lua/ofox/loop/uv.lua",
    ["ofox.mock"] = "lua/ofox/mock.lua",
    ["ofox.mock.script"] = "lua/ofox/mock/script.lua",
    ["ofox.preload"] = "lua/ofox/preload.lua",
    ["ofox.prometheus"] = "lua/ofox/prometheus.lua",
    ["ofox.request.api_key"] = "lua/ofox/request/api_key.lua",
    ["ofox.request.attempt"] = "lua/ofox/request/attempt.lua",
    ["ofox.request.body"] = "lua/ofox/request/body.lua",
    ["ofox.request.checks"] = "lua/ofox/request/checks.lua",
    ["ofox.request.custom"] = "lua/ofox/request/custom.lua",
    ["ofox.request.fallback"] = "lua/ofox/request/fallback.lua",
    ["ofox.request.headers"] = "lua/ofox/request/headers.lua",
    ["ofox.request.options"] = "lua/ofox/request/options.lua",
    ["ofox.request.plaintext"] = "lua/ofox/request/plaintext.lua",
    ["ofox.request.secrets"] = "lua/ofox/request/secrets.lua",
    ["ofox.request.table_checks"] = "lua/ofox/request/table_checks.lua",
    ["ofox.request.template"] = "lua/ofox/request/template.lua",
    ["ofox.request.url"] = "lua/ofox/request/url.lua",
    ["ofox.resources.chat"] = "lua/ofox/resources/chat.lua",
    ["ofox.resources.embeddings"] = "lua/ofox/resources/embeddings.lua",
    ["ofox.resources.images"] = "lua/ofox/resources/images.lua",
    ["ofox.resources.models"] = "lua/ofox/resources/models.lua",
    ["ofox.resources.responses"] = "lua/ofox/resources/responses.lua",
    ["ofox.retry"] = "lua/ofox/retry.lua",
    ["ofox.sse"] = "lua/ofox/sse.lua",
    ["ofox.task.awaited"] = "lua/ofox/task/awaited.lua",
    ["ofox.task.block"] = "lua/ofox/task/block.lua",
    ["ofox.task.cancel"] = "lua/ofox/task/cancel.lua",
    ["ofox.task.clock"] = "lua/ofox/task/clock.lua",
    ["ofox.task.engine"] = "lua/ofox/task/engine.lua",
    ["ofox.task.interrupt"] = "lua/ofox/task/interrupt.lua",
    ["ofox.task.lifecycle"] = "lua/ofox/task/lifecycle.lua",
    ["ofox.task.parallel"] = "lua/ofox/task/parallel.lua",
    ["ofox.task.scheduler"] = "lua/ofox/task/scheduler.lua",
    ["ofox.task.task"] = "lua/ofox/task/task.lua",
    ["ofox.task.timers"] = "lua/ofox/task/timers.lua",
    ["ofox.task.transports"] = "lua/ofox/task/transports.lua",
    ["ofox.task.unhandled"] = "lua/ofox/task/unhandled.lua",
    ["ofox.task.wait"] = "lua/ofox/task/wait.lua",
    ["ofox.types"] = "lua/ofox/types.lua",
    ["ofox.types.wire"] = "lua/ofox/types/wire.lua",
    ["ofox.core"] = {
      sources = sources(core),
      libraries = { "m", "pthread" },
      defines = { "_FORTIFY_SOURCE=2" },
      incdirs = { "src" },
    },
    ["ofox.engine"] = {
      sources = sources(engine),
      libraries = { "curl", "z", "brotlidec", "m", "pthread" },
      defines = { "_FORTIFY_SOURCE=2" },
      incdirs = { "src", "$(CURL_INCDIR)", "$(ZLIB_INCDIR)", "$(BROTLI_INCDIR)" },
      libdirs = { "$(CURL_LIBDIR)", "$(ZLIB_LIBDIR)", "$(BROTLI_LIBDIR)" },
    },
  },
  copy_directories = { "doc", "examples" },
}
test = {
  type = "command",
  command = "make test",
}
