-- Bodies of any kind as they arrive: stream:bytes(), and lines of JSON as events.
local calls = require "support.calls"
local ofox = require "ofox"
local proc = require "support.proc"
local server = require "support.server"

local KEY = "sk-of-bytes-0123456789"
local s
local client = calls.against(function() return s end, KEY)

setup(function() s = server.start() end)
teardown(function() s:stop() end)
after_each(function() s:reset() end)

local PARAMS = { path = "/audio/speech", body = { input = "hi" }, raw = true, stream = true }

local function open(steps, opts)
  s:script(steps)
  return client(opts):request(PARAMS)
end

local function all_of(stream)
  local pieces = {}
  for piece in stream:bytes() do pieces[#pieces + 1] = piece end
  return table.concat(pieces), #pieces
end

describe("a stream of bytes", function()
  -- What an event stream would trip over.
  for name, body in pairs {
    ["bytes of all values"] = ("\0\255\r\n\13data: x\n\n"):rep(5000),
    ["an event stream"] = 'data: {"error":{"message":"x"}}\n\ndata: [DONE]\n\nmore',
    ["a page"] = "<!doctype html><title>x</title>", ["an error's JSON"] = '{"error":{"message":"x"}}',
    ["blanks"] = " \r\n\r\n ", ["nothing"] = "",
  } do
    it("gives what was sent: " .. name, function()
      local kinds = { "audio/mpeg", "text/event-stream", "application/x-ndjson", "text/html", "application/json" }
      for _, kind in ipairs(kinds) do
        local stream = assert(open { { headers = { "Content-Type: " .. kind }, body = body } })
        assert.is_true(all_of(stream) == body)
        assert.same({ 200, kind }, { stream:meta().status, stream:meta().headers["content-type"] })
        assert.equal("ofox.stream: ended", tostring(stream))
      end
      assert.equal("*/*", s:log()[1].headers.accept)
    end)
  end

  it("gives each piece when it comes", function()
    local stream = assert(open { { chunks = { "one", { pause = 0.2 }, "two", { pause = 0.2 }, "three" } } })
    local took = {}
    for i = 1, 3 do took[i] = stream:read() end
    assert.same({ "one", "two", "three" }, took)
    assert.is_nil(stream:read())
    assert.is_nil(stream:read())
  end)

  it("is collected as a call without a stream answers, up to max_response_bytes", function()
    local stream = assert(open { { body = ("x"):rep(100000) } })
    local res = assert(stream:collect())
    assert.same({ 100000, 200 }, { #res.value, res:meta().status })
    stream = assert(open({ { body = ("x"):rep(100000) } }, { max_response_bytes = 50000 }))
    local _, err = stream:collect()
    assert.same({ "response_error", "too_large" }, { err.type, err.code })
    assert.is_truthy(err.message:find("max_response_bytes", 1, true))
  end)

  it("is decompressed", function()
    local path = proc.write(os.tmpname(), ("hello "):rep(10000))
    local pipe = assert(io.popen("gzip -c " .. path))
    local packed = pipe:read "*a"
    pipe:close()
    local stream = assert(open { { headers = { "Content-Encoding: gzip" }, body = packed } })
    assert.is_true(all_of(stream) == ("hello "):rep(10000))
  end)

  it("lets the server wait for a slow reader, and keeps little of it", function()
    local SIZE = 64 * 1024 * 1024
    s:script { { raw = { "HTTP/1.1 200 OK\r\nContent-Length: " .. SIZE .. "\r\n\r\n",
      { bytes = ("x"):rep(65536), times = SIZE / 65536 } } } }
    local function used() return tonumber(proc.read("/proc/self/status"):match "VmRSS:%s*(%d+)") end
    local stream = assert(client { idle_timeout = 0.5 }:request(PARAMS))
    local before = used()
    for _ = 1, 20 do ofox.step(0.05) end -- longer than idle_timeout: the reader is slow, not the server
    assert.is_true(used() - before < 4 * 1024, used() - before)
    local size, most = 0, 0
    for piece in stream:bytes() do
      size, most = size + #piece, math.max(most, #piece)
    end
    assert.equal(SIZE, size)
    assert.is_true(most <= 64 * 1024)
    assert.is_true(used() - before < 16 * 1024, used() - before)
  end)

  it("is retried until its first byte, and then breaks with an error", function()
    local stream = assert(open { { status = 503, body = "{}" }, { raw = "", close = "rst" }, { body = "ok" } })
    assert.same({ "ok", 3 }, { (all_of(stream)), stream:meta().attempts })
    local _, err = open { { status = 404, body = '{"error":{"message":"no such voice"}}' } }
    assert.same({ "not_found_error", "no such voice" }, { err.type, err.message })
    stream = assert(open { { headers = { "Content-Length: 10" }, framing = "none", body = "half", close = true } })
    assert.equal("half", stream:read())
    _, err = stream:read()
    assert.same({ "stream_error", "truncated", "partial" }, { err.type, err.code, err.reason })
    stream = assert(open { { headers = { "Content-Length: 10" }, framing = "none", body = "half", close = true } })
    local ok, raised = pcall(all_of, stream)
    assert.same({ false, "truncated" }, { ok, raised.code })
    stream = assert(open { { headers = { "Content-Length: 10" }, framing = "none", body = "half", close = true } })
    assert.equal("truncated", select(2, stream:collect()).code)
  end)

  it("may be closed in the middle", function()
    local stream = assert(open { { chunks = { "one", { bytes = "x", times = 10000, pause = 0.01 } } } })
    assert.equal("one", stream:read())
    stream:close()
    assert.is_nil(stream:read())
    assert.is_true(stream:meta().closed)
    assert.is_true(s:wait { open = 0 })
    assert.equal("ofox.stream: closed", tostring(stream))
  end)

  it("has no events, as a stream of events has no bytes", function()
    local stream = assert(open { { body = "x" } })
    for _, name in ipairs { "next", "chunks", "text", "data", "each" } do
      local ok, message = pcall(function() local _ = stream[name](stream) end)
      assert.is_false(ok)
      assert.is_truthy(message:find("bytes_spec.lua:%d+: stream:" .. name .. ": a stream of bytes has"), message)
    end
    assert.is_nil(stream.nonsense)
    stream:close()
    s:script { { headers = { "Content-Type: text/event-stream" }, body = "data: {}\n\n" } }
    local events = assert(client():request { path = "/x", stream = true })
    local ok, message = pcall(function() local _ = events:bytes() end)
    assert.is_false(ok)
    assert.is_truthy(message:find("bytes_spec.lua:%d+: stream:bytes: this is a stream of events; "), message)
    events:close()
  end)
end)

describe("lines of JSON", function()
  local JSON_LINES = { "Content-Type: application/x-ndjson" }

  local function chunks_of(step)
    step.headers = step.headers or JSON_LINES
    s:script { step }
    local stream, err = client { max_retries = 0 }:request { path = "/x", body = {}, stream = true }
    if not stream then return nil, err end
    local list = {}
    local chunk
    repeat
      chunk, err = stream:next()
      list[#list + 1] = chunk
    until not chunk
    return list, err
  end

  it("are events, wherever they are cut", function()
    local text = '\239\187\191{"a":1}\r\n\r\n  {"b":"\\u00e9 data: x"}\n{"c":[1,\r2]}\n\n{"d":{}}'
    local wanted = { { a = 1 }, { b = "\195\169 data: x" }, { c = { 1, 2 } }, { d = {} } }
    assert.same(wanted, (chunks_of { body = text }))
    local each = {}
    for i = 1, #text do each[i] = text:sub(i, i) end
    assert.same(wanted, (chunks_of { chunks = each }))
    assert.same({ { a = 1 } }, (chunks_of { headers = { "Content-Type: application/jsonl; charset=utf-8" },
      body = '{"a":1}\n' }))
  end)

  it("are read by data() and collect() as well", function()
    s:script { { headers = JSON_LINES, body = '{"a":1}\n{"b":2}\n' }, repeat_last = true }
    local c, seen = client(), {}
    for text in assert(c:request { path = "/x", stream = true }):data() do seen[#seen + 1] = text end
    assert.same({ '{"a":1}', '{"b":2}' }, seen)
    assert.same({ { a = 1 }, { b = 2 } }, c:request({ path = "/x", stream = true }):collect().value)
  end)

  it("may say that they have failed, or be cut", function()
    local _, err = chunks_of { body = '{"error":{"message":"busy","type":"overloaded_error"}}\n' }
    assert.same({ "service_unavailable", "busy" }, { err.type, err.message })
    local list
    list, err = chunks_of { body = '{"a":1}\n{"error":{"message":"gone"}}\n{"b":1}\n' }
    assert.same({ { { a = 1 } }, "gone" }, { list, err.message })
    list, err = chunks_of { body = '{"a":1}\nno json\n{"b":1}\n' }
    assert.same({ { { a = 1 } }, "invalid_json" }, { list, err.code })
    list, err = chunks_of { body = '{"a":1}\n{"b":', framing = "close" }
    assert.same({ { { a = 1 } }, "stream_error", "truncated" }, { list, err.type, err.code })
    list, err = chunks_of { body = '{"a":1}\n{"b":1', headers = { "Content-Type: application/x-ndjson",
      "Content-Length: 100" }, framing = "none", close = true }
    assert.same({ { { a = 1 } }, "truncated" }, { list, err.code })
  end)

  it("have the limits of events", function()
    s:script { { headers = JSON_LINES, body = '{"a":"' .. ("x"):rep(2000) .. '"}\n' } }
    local _, err = client { max_event_bytes = 1000 }:request { path = "/x", stream = true }
    assert.same({ "stream_error", "too_large" }, { err.type, err.code })
    _, err = chunks_of { body = "" }
    assert.same({ "stream_error", "truncated" }, { err.type, err.code })
    _, err = chunks_of { body = "<html><title>Login</title></html>" }
    assert.equal("html", err.code)
  end)
end)
