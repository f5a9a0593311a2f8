-- Answers that are compressed: whatever way servers and what stands before
-- them do it, the bytes are what was meant, or there is one true error.
-- test: once: what decodes knows nothing of Lua, and is one object for all
local ofox = require "ofox"
local calls = require "support.calls"
local child = require "support.child"
local server = require "support.server"
local wire = require "support.wire"

local KEY = "sk-of-codings-0123456789"
local PARAMS = calls.PARAMS
local SSE = "Content-Type: text/event-stream"
local bytes = wire.unhex

local s
local client, ask, fail = calls.against(function() return s end, KEY)
local summary = calls.summary

setup(function() s = server.start() end)
teardown(function() s:stop() end)
after_each(function() s:reset() end)

-- '{"choices":[{"message":{"content":"hello"}}]}', by node's zlib.
local PLAIN = '{"choices":[{"message":{"content":"hello"}}]}'
local CODED = {
  gzip = bytes "1f8b0800000000000203ab564acec8cf4c4e2d56b28aae56ca4d2d2e4e4c4f55b2aa564acecf2b49cd2b51b252ca48"
    .. bytes "cdc9c957aaad8dad05008275e9e02d000000",
  deflate = bytes "78daab564acec8cf4c4e2d56b28aae56ca4d2d2e4e4c4f55b2aa564acecf2b49cd2b51b252ca48cdc9c957aaad8dad"
    .. bytes "050070621031",
  raw = bytes "ab564acec8cf4c4e2d56b28aae56ca4d2d2e4e4c4f55b2aa564acecf2b49cd2b51b252ca48cdc9c957aaad8dad0500",
  br = bytes "1b2c00f88dd315f32384752f45b6f652a7ab0f26722214c5c9b7b7092e28730db6388d98a239df",
  ["gzip, br"] = bytes "0b20801f8b0800000000000203ab564acec8cf4c4e2d56b28aae56ca4d2d2e4e4c4f55b2aa564acecf2b49cd2b"
    .. bytes "51b252ca48cdc9c957aaad8dad05008275e9e02d00000003",
  ["br, gzip"] = bytes "1f8b0800000000000203012700d8ff1b2c00f88dd315f32384752f45b6f652a7ab0f26722214c5c9b7b7092e28"
    .. bytes "730db6388d98a239dfcd3273aa27000000",
}
-- PLAIN in two members of gzip, the first 20 bytes and the others; and none.
local FIRST = bytes "1f8b0800000000000203ab564acec8cf4c4e2d56b28aae56ca4d2d2e4e4c0700e0c3359614000000"
local SECOND = bytes "1f8b08000000000002034b55b2aa564acecf2b49cd2b51b252ca48cdc9c957aaad8dad05007ea7e87919000000"
local NONE = bytes "1f8b080000000000020303000000000000000000"

local function coded(body, coding, more)
  return calls.with({ body = body, headers = { "Content-Encoding: " .. (coding or "gzip") } }, more)
end

-- The same bytes as the network may bring them: each alone.
local function dripped(body, coding)
  local chunks = {}
  for i = 1, #body do chunks[i] = body:sub(i, i) end
  return { chunks = chunks, headers = { "Content-Type: application/json", "Content-Encoding: " .. (coding or "gzip") } }
end

local function assert_encoding(err, says)
  assert.same({ "response_error", "encoding", 200, true }, summary(err))
  assert.same({ 1, false, "not_retryable" }, { err.attempts, err.retryable, err.reason })
  assert.matches("^the answer could not be decoded: " .. says, err.message)
end

-- One attempt although there could be more.
local function once(step)
  s:reset()
  s:script { step, { body = server.completion("paid twice") }, repeat_last = true }
  local res, err = client():chat(PARAMS)
  assert.is_nil(res)
  assert.equal(1, #s:log())
  return err
end

describe("a compressed answer", function()
  for name, row in pairs {
    ["gzip"] = { "gzip" }, ["x-gzip"] = { "gzip", "x-gzip" }, ["GZip in another case"] = { "gzip", "GZip" },
    ["deflate with zlib's frame"] = { "deflate" }, ["deflate without"] = { "raw", "deflate" }, ["br"] = { "br" },
    ["gzip, then br"] = { "gzip, br" }, ["br, then gzip"] = { "br, gzip" },
    ["gzip beside identity"] = { "gzip", "identity, gzip,,identity" },
  } do
    it("[N3] is read: " .. name .. ", whole and byte by byte", function()
      local body = CODED[row[1]]
      for _, step in ipairs { coded(body, row[2] or row[1]), dripped(body, row[2] or row[1]) } do
        local res, err = ask({ step }, { max_retries = 0 })
        assert.is_truthy(res, tostring(err))
        assert.equal("hello", res:output_text())
      end
    end)

    it("[N3] with a byte behind its end is an encoding error, once: " .. name, function()
      for _, more in ipairs { "x", "\0", PLAIN } do
        local step = coded(CODED[row[1]] .. more, row[2] or row[1])
        assert_encoding(once(step), #more == 1 and "" or "bytes follow the end")
        assert_encoding(once(dripped(step.body, row[2] or row[1])), "")
      end
    end)

    it("[N3] cut at any byte is an error, and says that it is cut: " .. name, function()
      local body = CODED[row[1]]
      for n = 1, #body - 1, 3 do
        assert_encoding(fail(coded(body:sub(1, n), row[2] or row[1])), "the compressed data are truncated")
      end
    end)
  end

  it("[N3] in two headers is undone in their order", function()
    local step = { body = CODED["gzip, br"], headers = { "Content-Encoding: gzip", "Content-Encoding: br" } }
    assert.equal("hello", assert(ask { step }):output_text())
  end)

  for name, row in pairs {
    ["two"] = FIRST .. SECOND, ["two with empty ones between"] = NONE .. FIRST .. NONE .. NONE .. SECOND .. NONE,
  } do
    it("[N3] of gzip members, " .. name .. ", is one body, whole and byte by byte", function()
      for _, step in ipairs { coded(row), dripped(row) } do
        local res, err = ask({ step }, { max_retries = 0 })
        assert.is_truthy(res, tostring(err))
        assert.equal("hello", res:output_text())
      end
    end)
  end

  it("[N3] of two members cut in the second is an error, never half", function()
    for n = 1, #SECOND - 1 do
      assert_encoding(fail(coded(FIRST .. SECOND:sub(1, n))), "")
    end
  end)

  it("[N3] whose second member is broken is an error, once", function()
    assert_encoding(once(coded(FIRST .. SECOND:sub(1, 14) .. "\255\255\255\255" .. SECOND:sub(19))), "")
    assert_encoding(once(coded(FIRST .. SECOND:sub(1, -9) .. "\0\0\0\0" .. SECOND:sub(-4))), "")
  end)

  it("[N3] cut where nothing says how long it is, is a cut, and tried again", function()
    local whole = CODED.gzip
    for n = 1, #whole - 1, 5 do
      local res, err = ask { coded(whole:sub(1, n), "gzip", { framing = "close", close = true }),
        { body = server.completion("again") } }
      assert.is_truthy(res, tostring(err))
      assert.equal("again", res:output_text())
    end
    local res = assert(ask { coded(whole, "gzip", { framing = "close", close = true }) })
    assert.equal("hello", res:output_text())
  end)

  it("[N3] of no byte is an empty one", function()
    assert.same({ "response_error", "empty", 200, true }, summary(fail(coded(""))))
    for _, status in ipairs { 204, 205 } do
      s:script { { raw = ("HTTP/1.1 %d X\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"):format(status) } }
      assert.is_truthy(client():request { path = "/x", method = "DELETE" })
    end
    s:script { { raw = "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 100\r\n\r\n" } }
    assert.is_truthy(client():request { path = "/x", method = "HEAD" })
  end)

  for _, coding in ipairs { "zstd", "compress", "unheard-of", "gzip;q=1", "gzip, unheard-of" } do
    it("[N3] in a coding that is unknown, " .. coding .. ", says so, once", function()
      assert_encoding(once(coded(CODED.gzip, coding)), "a content coding is not supported")
    end)
  end

  it("[N3] is asked for, unless the program does itself", function()
    s:script { { body = PLAIN }, repeat_last = true }
    client():chat(PARAMS)
    client { headers = { ["Accept-Encoding"] = "identity" } }:chat(PARAMS)
    client { headers = { ["accept-encoding"] = "" } }:chat(PARAMS)
    local seen = {}
    for i, entry in ipairs(s:log()) do seen[i] = entry.headers["accept-encoding"] end
    assert.same({ "gzip, deflate, br", "identity", "" }, seen)
    s:reset()
    s:script { coded(CODED.gzip) }
    assert.equal("hello", client { headers = { ["Accept-Encoding"] = false } }:chat(PARAMS):output_text())
    assert.is_nil(s:log()[1].headers["accept-encoding"])
  end)

  it("[N3] is given raw as it was meant, also in pieces of members", function()
    s:script { coded(NONE .. FIRST .. SECOND) }
    assert.equal(PLAIN, client():request({ path = "/x", raw = true }).value)
    s:script { coded(FIRST, "gzip", { framing = "close", close = true }) }
    assert.equal(PLAIN:sub(1, 20), client():request({ path = "/x", raw = true }).value)
    s:script { coded(FIRST .. SECOND:sub(1, 30), "gzip", { framing = "close", close = true }) }
    local res, err = client { max_retries = 0 }:request { path = "/x", raw = true }
    assert.is_nil(res)
    assert.same({ "connection_error", "truncated" }, { err.type, err.code })
  end)

  it("[N3] keeps its connection", function()
    s:script { coded(CODED.gzip), coded(FIRST .. SECOND), coded(CODED.br, "br"), { body = PLAIN } }
    for _ = 1, 4 do assert.equal("hello", assert(client():chat(PARAMS)):output_text()) end
    assert.equal(1, s:connections())
  end)

  it("[N3] that is an error is decided by its status, and read as far as it can be", function()
    local text = '{"error":{"message":"upstream is down"}}'
    for _, row in ipairs {
      { FIRST .. SECOND, "gzip" }, { CODED.gzip .. "x", "gzip" }, { CODED.gzip:sub(1, 30), "gzip" },
      { "\1\2\3", "gzip" }, { text, "gzip", "upstream is down" }, { text, "zstd", "upstream is down" },
    } do
      local err = fail(coded(row[1], row[2], { status = 502 }))
      assert.same({ "upstream_error", 502, "max_retries" }, { err.type, err.status, err.reason })
      if row[3] then assert.equal(row[3], err.message) end
    end
    local err = fail(coded(CODED.gzip .. "x", "gzip", { status = 400 }))
    assert.same({ "invalid_request_error", 400, "not_retryable" }, { err.type, err.status, err.reason })
  end)
end)

-- Three events, "Hel", "lo" and [DONE], each flushed; and the end: by node's
-- zlib.
local STREAMS = {
  gzip = { bytes "1f8b08000000000002034a492c49b452a8564acec8cf4c4e2d56b28aae56cacc4b49ad50b232d0514a49cd294954b2aa564a"
      .. bytes "cecf2b49cd2b51b252f248cd51aaad8dade5e202000000ffff",
    bytes "4a21556b4e3e5427000000ffff", bytes "82e88c76f1f7738de5e202000000ffff", bytes "03002d3f17db83000000" },
  deflate = { bytes "78da4a492c49b452a8564acec8cf4c4e2d56b28aae56cacc4b49ad50b232d0514a49cd294954b2aa564acecf2b49cd"
      .. bytes "2b51b252f248cd51aaad8dade5e202000000ffff",
    bytes "4a21556b4e3e5427000000ffff", bytes "82e88c76f1f7738de5e202000000ffff", bytes "03002e5f2a51" },
  br = { bytes "0b1d00409c07b6ede4929ae59d30307bfe99ab45f6b660a642575f82b020a58e481f6cc0017b444b940d1b63e788049d0224bf"
      .. bytes "8ba72296819bc487e5fbc600",
    bytes "c801005f928cedad2a71a60828a96a", bytes "6800805f5261ab2b09504493484965f83100", "\3" },
}

local function read(stream)
  local chunk, err = stream:next()
  return chunk and chunk.choices[1].delta.content, err
end

local function texts_of(stream)
  local list = {}
  for text in stream:text() do list[#list + 1] = text end
  return list
end

describe("a coding of the way, which nobody asks for", function()
  local function coded_on_the_way(status, codings, body)
    return { raw = ("HTTP/1.1 %s\r\nContent-Type: application/json\r\nTransfer-Encoding: %s\r\n\r\n%s"):format(
      status, codings, body), close = true }
  end

  -- libcurl would undo it, and several of them for ever
  it("[N3] is an encoding error, once", function()
    for _, codings in ipairs { "gzip, chunked", "chunked\r\nTransfer-Encoding: br", "GZIP, deflate" } do
      local err = once(coded_on_the_way("200 OK", codings, "0\r\n\r\n"))
      assert_encoding(err, "an unrequested transfer coding$")
    end
  end)

  it("[N3] leaves an error its status", function()
    local err = fail(coded_on_the_way("503 X", "gzip, gzip, chunked", "0\r\n\r\n"))
    assert.same({ 503, "service_unavailable" }, { err.status, err.type })
  end)

  it("[N3] of a name that says nothing is none", function()
    assert.equal("hello", (assert(ask { coded_on_the_way("200 OK", "identity, chunked",
      ("%x\r\n%s\r\n0\r\n\r\n"):format(#PLAIN, PLAIN)) })):output_text())
  end)
end)

describe("a compressed stream", function()
  for coding, pieces in pairs(STREAMS) do
    local headers = { SSE, "Content-Encoding: " .. coding }

    it("[N3] gives each piece when it is flushed: " .. coding, function()
      -- after each piece the server is silent, longer than anybody waits
      for n = 1, 2 do
        s:script { { chunks = { table.concat(pieces, "", 1, n) }, last_chunk = false, stall = true,
          headers = headers } }
        local stream = assert(client { idle_timeout = 0.3, max_retries = 0 }:stream(PARAMS))
        for i = 1, n do assert.equal(({ "Hel", "lo" })[i], (read(stream))) end
        local text, err = read(stream)
        assert.is_nil(text)
        assert.equal("idle_timeout", err.code)
      end
    end)

    it("[N3] ends with [DONE], whatever follows: " .. coding, function()
      for _, rest in ipairs { "", pieces[4], "no " .. coding .. " at all" } do
        s:script { { chunks = { table.concat(pieces, "", 1, 3), rest ~= "" and rest or nil }, headers = headers },
          { body = PLAIN } }
        assert.same({ "Hel", "lo" }, texts_of(client():stream(PARAMS)))
        assert.is_truthy(client():chat(PARAMS))
        s:reset()
      end
    end)

    it("[N3] cut at any byte is never a success without its end: " .. coding, function()
      local whole = table.concat(pieces, "", 1, 3)
      for n = 0, #whole - 1, 7 do
        s:script { { chunks = { n > 0 and whole:sub(1, n) or nil }, headers = headers } }
        local stream, err = client { max_retries = 0 }:stream(PARAMS)
        if stream then
          local res
          res, err = stream:collect()
          -- all that is wanted may have come before its last bytes
          if res then assert.is_true(n > #whole - 12, n .. " bytes") end
        end
        if err then
          assert.is_truthy(("stream_error response_error"):find(err.type, 1, true), n .. " bytes")
          assert.is_true(err.ambiguous)
        end
      end
    end)
  end

  it("[N3] that breaks is an encoding error, with what came, and not asked for again", function()
    local pieces = STREAMS.gzip
    s:script { { chunks = { pieces[1] .. "\255\255\255\255" }, headers = { SSE, "Content-Encoding: gzip" } },
      { body = PLAIN } }
    local stream = client():stream(PARAMS)
    assert.equal("Hel", (read(stream)))
    local _, err = read(stream)
    assert.same({ "response_error", "encoding", "Hel" }, { err.type, err.code, err.partial.text })
    assert.matches("not valid gzip", err.message)
    assert.equal(1, #s:log())
  end)

  -- 20,000 events of text, "x0" to "x9" in turn, and [DONE]: 1.2 MB; node:
  -- zlib.brotliCompressSync
  local MANY = bytes("9b4db311482c0aec86e9546fde48f8bce2f29a71782146a8f416d9db82990a5d7d058257223a2a1c4319d493c1e080"
    .. "660e7d1c709f16f1592f0a1636c6d6536817a553ce5b9fc83a687c0c3859e91b6d646c62cab419b3e6e29f173562a37afc983a00")

  it("[N3][D11] of few bytes and many events reaches a slow reader whole", function()
    for _, size in ipairs { 1, 7, #MANY } do
      local chunks = {}
      for at = 1, #MANY, size do chunks[#chunks + 1] = MANY:sub(at, at + size - 1) end
      s:script { { chunks = chunks, headers = { SSE, "Content-Encoding: br" } } }
      local n = 0
      for text in client():stream(PARAMS):text() do
        if text ~= "x" .. n % 10 then error(("event %d is %q"):format(n, text)) end
        n = n + 1
        if n % 5000 == 0 then ofox.step(0) end
      end
      assert.equal(20000, n)
    end
  end)

  it("[N3][D11] holds no more than the queue for a reader that does not read", function()
    -- 100 MB of events in a member of gzip
    local pipe = io.popen("yes 2>/dev/null 'data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hello\"}}]}\n' "
      .. "| head -c 100000000 | gzip -1", "r")
    local body = pipe:read("*a")
    pipe:close()
    s:script { { body = "{}" }, { chunks = { body }, last_chunk = false, stall = true,
      headers = { SSE, "Content-Encoding: gzip" } } }
    local run = child.run { args = { s.url }, code = [[
      local url = ...
      local ofox = require "ofox"
      local function peak()
        for line in io.lines("/proc/self/status") do
          local kb = line:match("^VmHWM:%s*(%d+) kB")
          if kb then return tonumber(kb) end
        end
      end
      local client = ofox.new { base_url = url, api_key = "k-0123456789", proxy = false, errors = "return" }
      local params = { model = "m", messages = {} }
      assert(client:request { method = "GET", path = "/x" })
      local before = peak()
      local stream = assert(client:stream(params))
      for _ = 1, 20 do ofox.step(0.01) end
      print(peak() - before < 16 * 1024, stream:next().choices[1].delta.content)
      stream:close() ]] }
    assert.equal("true\thello\n", run.output, run.errors)
  end)
end)

-- What 'times' copies of the text are by gzip.
local function packed(text, times)
  local name = os.tmpname()
  local file = assert(io.open(name, "wb"))
  for _ = 1, times do file:write(text) end
  file:close()
  local pipe = io.popen("gzip -9 -n <" .. name, "r")
  local out = pipe:read("*a")
  pipe:close()
  os.remove(name)
  return out
end

describe("a bomb of a few bytes", function()
  -- none of these would end within a year
  for name, row in pairs {
    ["of nothing at all"] = { NONE, "application/json", "chat", "gzip, gzip, gzip, gzip" },
    ["of comments"] = { ": ping\n", "text/event-stream", "stream", "gzip, gzip, gzip" },
  } do
    it("[N3] is left when its time is over, and holds nobody up: " .. name, function()
      local body = packed(packed(packed(row[1], 5000), 5000), 5000)
      local headers = { "Content-Type: " .. row[2], "Content-Encoding: " .. row[4] }
      local beside = server.start()
      s:script { { body = body, headers = headers } }
      beside:script { { body = server.completion("hello") } }
      local run = child.run { args = { s.url, beside.url, row[3] }, code = [[
        local url, beside, method = ...
        local ofox = require "ofox"
        local function client(base_url)
          return ofox.new { base_url = base_url, api_key = "k-0123456789", proxy = false, errors = "return",
            max_retries = 0, deadline = 2 }
        end
        local params = { model = "m", messages = {} }
        local bomb = ofox.go(function()
          local bombed = client(url)
          return select(2, bombed[method](bombed, params))
        end)
        local other = ofox.go(function() return client(beside):chat(params):output_text() end)
        print(select(2, other:wait()), bomb:status())
        print(select(2, bomb:wait()).type) ]] }
      beside:stop()
      assert.equal("hello\trunning\ntimeout_error\n", run.output, run.errors)
    end)
  end
end)
