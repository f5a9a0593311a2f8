-- Streams on real sockets: bytes as networks cut them, connections that are
-- kept or gone, slow readers, servers that fall silent.
local cjson = require "cjson"
local ofox = require "ofox"
local calls = require "support.calls"
local real = require "support.real"
local server = require "support.server"

local KEY = "sk-of-streams-0123456789"
local PARAMS = calls.PARAMS
local SSE = { ["Content-Type"] = "text/event-stream" }

local s
local client = calls.against(function() return s end, KEY)

setup(function() s = server.start() end)
teardown(function() s:stop() end)
after_each(function() s:reset() end)

local function stream_of(step, opts)
  step.headers = step.headers or SSE
  s:script { step, { body = server.completion("next") }, repeat_last = true }
  return client(opts):stream(PARAMS)
end

local function texts_of(stream)
  local list = {}
  for text in stream:text() do list[#list + 1] = text end
  return list
end

-- What a loop sees: its texts as one, and the error.
local function loop(stream)
  local list = {}
  local ok, err = pcall(function()
    for text in stream:text() do list[#list + 1] = text end
  end)
  return table.concat(list), not ok and err or nil
end

local HELLO = server.events { "Hel", "lo, 世界", " 🙂" }

describe("the bytes of a stream", function()
  it("[D2] may be cut anywhere", function()
    local whole = table.concat(HELLO)
    for _, size in ipairs { 1, 2, 3, 7 } do
      assert.same({ "Hel", "lo, 世界", " 🙂" }, texts_of(stream_of { body = whole, drip = 0, drip_size = size }))
    end
  end)

  it("[D2] may have any line ends, comments, a BOM", function()
    for _, line_end in ipairs { "\r", "\n", "\r\n" } do
      local bytes = "\239\187\191: hello\n\n" .. table.concat(HELLO):gsub("\n", "\n: ping\n", 2)
      assert.equal("Hello, 世界 🙂", (loop(stream_of { body = (bytes:gsub("\n", line_end)) })))
    end
  end)

  it("[D2] may be one event of a megabyte", function()
    local big = ("x"):rep(1024 * 1024)
    assert.equal(#big, #loop(stream_of { chunks = server.events { big } }))
  end)

  it("[D2] may not be an event beyond the limit", function()
    local text, err = loop(stream_of({ chunks = server.events { "a", ("x"):rep(5000), "b" } },
      { max_event_bytes = 4096 }))
    assert.equal("a", text)
    assert.same({ "stream_error", "too_large", false, "partial" }, { err.type, err.code, err.retryable, err.reason })
    local started, before = stream_of({ chunks = server.events { ("x"):rep(5000) } }, { max_event_bytes = 4096 })
    assert.is_nil(started)
    assert.same({ "stream_error", "too_large", "not_retryable", 1 }, {
      before.type, before.code, before.reason, before.attempts })
  end)

  it("[D3] end at [DONE], with and without its blank line, also if the server goes on", function()
    local events = table.concat(HELLO, "", 1, #HELLO - 1)
    for _, tail in ipairs { "data: [DONE]\n\n", "data: [DONE]\n", "data: [DONE]", "data:[DONE]\n\n",
      "data:  [DONE] \r\n\r\n", "data: [DONE]\n\ndata: {\"error\":{\"message\":\"late\"}}\n\n" } do
      assert.equal("Hello, 世界 🙂", (loop(stream_of { body = events .. tail })))
    end
    -- the line is complete, the connection stays open, no blank line ever comes
    local stream = stream_of { chunks = { events .. "data: [DONE]\n" }, last_chunk = false, stall = true }
    local text, err = loop(stream)
    assert.equal("Hello, 世界 🙂", text)
    assert.is_nil(err)
  end)

  it("[D3] [DONE]xyz is no end", function()
    local _, err = loop(stream_of { body = HELLO[1] .. HELLO[2] .. "data: [DONE]xyz\n\n" })
    assert.same({ "stream_error", "invalid_json" }, { err.type, err.code })
    assert.is_nil(tostring(err):find("xyz", 1, true))
  end)

  it("may be compressed", function()
    local front = real.nginx { tls = true, http2 = true, backend = s.host .. ":" .. s.port,
      server = "gzip on; gzip_types text/event-stream; gzip_min_length 1;" }
    s:script { { chunks = server.events { "Hel", "lo" }, headers = SSE }, repeat_last = true }
    local stream = client({ base_url = front.url, ca_file = front.ca_file }):stream(PARAMS)
    assert.same({ "Hel", "lo" }, texts_of(stream))
    assert.equal("gzip", stream:meta().headers["content-encoding"])
    front:stop()
  end)

  it("need not be called an event stream, nor be one that is", function()
    assert.equal("Hello, 世界 🙂", (loop(stream_of { body = table.concat(HELLO), headers = {
      ["Content-Type"] = "text/plain" } })))
    local stream, err = stream_of { body = '{"error":{"message":"no","code":400}}', headers = SSE }
    assert.is_nil(stream)
    assert.same({ "invalid_request_error", "no", 200 }, { err.type, err.message, err.status })
    stream, err = stream_of { body = "<html><title>Login</title></html>", headers = SSE }
    assert.is_nil(stream)
    assert.same({ "response_error", "html" }, { err.type, err.code })
  end)
end)

describe("a stream that breaks", function()
  local TWO = { HELLO[1], HELLO[2] }
  for name, row in pairs {
    ["by a FIN between chunks"] = { { last_chunk = false, close = true }, "truncated" },
    ["by a FIN where nothing frames it"] = {
      { framing = "close", body = table.concat(TWO), close = true }, "truncated" },
    ["by a RST"] = { { last_chunk = false, close = "rst" }, "reset" },
    ["by the end of a whole body"] = { {}, "truncated" },
    ["in the middle of an event"] = { { body = table.concat(TWO) .. 'data: {"choices":[{"ind', framing = "close",
      close = true }, nil },
  } do
    it("[D4] " .. name .. " is a StreamError with what came", function()
      local step = row[1]
      if not step.body then step.chunks = TWO end
      local stream = stream_of(step)
      local text, err = loop(stream)
      assert.equal("Hel", text)
      assert.equal("stream_error", err.type)
      if row[2] then assert.equal(row[2], err.code) end
      assert.same({ "partial", "Hel", 2, true, 200 }, {
        err.reason, err.partial.text, err.partial.chunks, err.ambiguous, err.status })
      assert.equal(1, #s:log())
      assert.is_truthy(cjson.encode(err))
    end)
  end

  it("[D6] before its first content is asked for again, unseen", function()
    s:script {
      { chunks = { HELLO[1] }, last_chunk = false, close = true, headers = SSE },
      { chunks = { ": comment\n\n", HELLO[1] }, last_chunk = false, close = "rst", headers = SSE },
      { chunks = {}, headers = SSE },
      { chunks = HELLO, headers = SSE },
    }
    local stream = client():stream(PARAMS)
    assert.same({ "Hel", "lo, 世界", " 🙂" }, texts_of(stream))
    assert.equal(4, stream:meta().attempts)
    local log = s:log()
    assert.equal(4, #log)
    for i = 2, 4 do assert.equal(log[1].body, log[i].body) end
  end)

  it("[D9] by silence: bytes count, comments are bytes", function()
    local items = { HELLO[1], HELLO[2] }
    for _ = 1, 6 do items[#items + 1] = { bytes = ": ping\n\n", times = 1, pause = 0.1 } end
    local stream = stream_of({ chunks = items, last_chunk = false, stall = true }, { idle_timeout = 0.3 })
    local took, err, own = calls.timed(function() return nil, select(2, loop(stream)) end)
    assert.same({ "timeout_error", "idle_timeout", "Hel", "partial" }, {
      err.type, err.code, err.partial.text, err.reason })
    assert.is_true(took >= 0.5 and own < 3, took)
    assert.is_true(s:wait { open = 0 })
  end)
end)

describe("[D10] a stream that is left", function()
  local ENDLESS = { { bytes = HELLO[2], times = 100000, pause = 0.001 } }

  it("by close() closes its connection", function()
    local stream = stream_of { chunks = ENDLESS }
    stream:next()
    stream:close()
    assert.is_true(s:wait { open = 0 })
    stream:close()
    assert.is_nil((stream:next()))
    assert.is_nil(stream:text()())
    assert.has_error(function() stream:collect() end)
  end)

  it("unread, to the garbage, closes its connection", function()
    local stream = stream_of { chunks = ENDLESS }
    assert.is_table(stream)
    stream = nil -- luacheck: ignore 311
    collectgarbage() collectgarbage()
    assert.is_true(s:wait { open = 0 })
    assert.equal("next", client():chat(PARAMS):output_text())
  end)

  it("by leaving the loop closes its connection where Lua can tell", function()
    for _, how in ipairs { "chunks", "text" } do
      local stream = stream_of { chunks = ENDLESS }
      local next_one, a, b, closing = stream[how](stream)
      for _ in next_one, a, b, closing do break end -- luacheck: ignore 512 (leaving it is the point)
      if _VERSION == "Lua 5.4" then
        assert.is_true(s:wait { open = 0 })
        assert.equal("ofox.stream: closed", tostring(stream))
      else
        stream:close()
      end
      s:reset()
    end
  end)

  it("while its token lives is collected all the same", function()
    local token = ofox.cancel_token()
    s:script { { chunks = ENDLESS, headers = SSE } }
    local stream = client():stream(PARAMS, { cancel = token })
    assert.is_table(stream)
    stream = nil -- luacheck: ignore 311
    collectgarbage() collectgarbage()
    assert.is_true(s:wait { open = 0 })
    token:cancel()
  end)

  it("keeps its connection if it had come to its end", function()
    s:script { { chunks = HELLO, headers = SSE }, repeat_last = true }
    for _ = 1, 5 do
      local stream = client():stream(PARAMS)
      assert.equal("Hello, 世界 🙂", stream:collect():output_text())
    end
    assert.is_true(s:connections() <= 2)
  end)

  it("does not keep a server that goes on and on after [DONE]", function()
    s:script { { chunks = { table.concat(HELLO), { bytes = (": more\n\n"):rep(512), times = 100000 } },
      headers = SSE } }
    local stream = client():stream(PARAMS)
    assert.equal("Hello, 世界 🙂", (loop(stream)))
    s:script { { body = server.completion("next") }, repeat_last = true }
    assert.equal("next", client():chat(PARAMS):output_text())
    assert.is_true(s:wait { open = 1 })
  end)
end)

describe("[D11] a slow reader", function()
  local piece = ("y"):rep(200)
  local event = server.events({ piece })[2]
  local COUNT = 60000

  for _, version in ipairs { "1.1", "2" } do
    it("lets the server wait, and loses nothing, over HTTP/" .. version, function()
      local front = version == "2" and real.nginx { tls = true, http2 = true, backend = s.host .. ":" .. s.port,
        server = "proxy_buffering off;" }
      s:script { { chunks = { { bytes = event:rep(100), times = COUNT / 100 }, "data: [DONE]\n\n" }, headers = SSE } }
      local opts = front and { base_url = front.url, ca_file = front.ca_file } or nil
      local transport = require "ofox.task.engine".get()
      local stream = client(opts):stream(PARAMS)
      for _ = 1, 10 do transport:step(0.02) end -- while nobody reads
      assert.is_false(s:wait({ answered = 1 }, 0), "the server could send it all")
      local seen, bytes = 0, 0
      for text in stream:text() do
        seen, bytes = seen + 1, bytes + #text
        if seen % 1000 == 0 then transport:step(0) end
      end
      assert.same({ COUNT, COUNT * #piece }, { seen, bytes })
      if front then front:stop() end
    end)
  end

  it("is not blamed for the silence", function()
    s:script { { chunks = { { bytes = event:rep(100), times = 50 }, "data: [DONE]\n\n" }, headers = SSE } }
    local transport = require "ofox.task.engine".get()
    local stream = client({ idle_timeout = 0.15 }):stream(PARAMS)
    for _ = 1, 10 do transport:step(0.03) end
    local text, err = loop(stream)
    assert.is_nil(err)
    assert.equal(5000 * #piece, #text)
  end)
end)
