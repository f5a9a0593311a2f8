-- ofox.mock.record and .replay: answers of a real server play back byte by byte
-- and moment by moment, on virtual time; and what no line answers is told what is
-- nearest.
local calls = require "support.calls"
local json = require "ofox.json"
local mock = require "ofox.mock"
local ofox = require "ofox"
local proc = require "support.proc"
local server = require "support.server"

local PARAMS = calls.PARAMS
local SSE = { ["content-type"] = "text/event-stream" }

local s, path, second
setup(function() s = server.start() end)
teardown(function() s:stop() end)
before_each(function()
  s:reset()
  path, second = os.tmpname(), os.tmpname()
end)
after_each(function()
  os.remove(path)
  os.remove(second)
end)

local function client_of(transport, opts)
  return calls.client({ api_key = "sk-of-secret-0123456789", base_url = s.url, transport = transport }, opts)
end

-- The lines of a recording, decoded.
local function lines(file)
  local list = {}
  for line in proc.read(file):gmatch("[^\n]+") do list[#list + 1] = json.decode(line) end
  return list
end

-- The bytes of a body in a line, and whether a piece of it was base64.
local function body_of(line)
  local pieces, packed = {}, false
  for _, moment in ipairs(line.moments) do
    if moment[2] == "body" then
      packed = packed or type(moment[3]) == "table"
      pieces[#pieces + 1] = type(moment[3]) == "table"
        and require("ofox.base.native")("core").parts.base64_decode(moment[3].base64) or moment[3]
    end
  end
  return table.concat(pieces), packed
end

local function told(meta)
  local out = { retries = {} }
  for _, name in ipairs { "status", "request_id", "attempts", "model_requested" } do out[name] = meta[name] end
  for name, value in pairs(meta.headers or {}) do out["header " .. name] = value end
  for i, retry in ipairs(meta.retries) do out.retries[i] = { retry.type, retry.code, retry.status } end
  return out
end

-- What a program sees of a call: without the times of its end, which depend on when it
-- has come to read.
local function outcome(ok, value, err)
  if not ok then return { "raised", value } end
  if value ~= nil then
    return { json.encode(value), told(ofox.meta(value)) }
  end
  return { err.type, err.code, err.message, err.status, err.ambiguous, err.attempts, err.body, err.reason,
    err.partial and err.partial.text, told(err), retry = err.retry_after and math.floor(err.retry_after * 1e3 + 0.5) }
end

local function pieces_of(c)
  local stream, err = c:stream(PARAMS)
  if not stream then return nil, err end
  local text
  repeat text, err = stream:read() until not text
  if err then return nil, err end
  return stream:collect()
end

local function event(text) return 'data: {"choices":[{"index":0,"delta":{"content":"' .. text .. '"}}]}\n\n' end

local DONE = "data: [DONE]\n\n"

local GREETING = event "Gr\195\188\195\159e"

-- '{"choices":[{"message":{"content":"hello"}}]}' in two members of gzip.
local GZIP = ("1f8b0800000000000203ab564acec8cf4c4e2d56b28aae56ca4d2d2e4e4c0700e0c3359614000000"
  .. "1f8b08000000000002034b55b2aa564acecf2b49cd2b51b252ca48cdc9c957aaad8dad05007ea7e87919000000")
  :gsub("%x%x", function(hex) return string.char(tonumber(hex, 16)) end)

local OVERLOADED = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
local MESSAGE = '{"type":"message","role":"assistant","content":[{"type":"text","text":"hello"}],'
  .. '"stop_reason":"end_turn"}'
local GEMINI = '{"candidates":[{"content":{"parts":[{"text":"hello"}]},"finishReason":"STOP"}]}'

-- Each kind of call: what the server does, what the program does, and how often it is asked.
local KINDS = {
  ["a call"] = { { { delay = 0.05, body = server.completion "hello" } }, function(c) return c:chat(PARAMS) end },
  ["a call of responses"] = { { { body = '{"object":"response","output":[]}' } },
    function(c) return c:responses { model = "m", input = "hi" } end },
  ["embeddings"] = { { { body = '{"data":[{"embedding":"AACAPw=="}]}' } },
    function(c) return c:embeddings { model = "m", input = "hi" } end },
  ["images"] = { { { body = '{"data":[{"url":"https://x"}]}' } },
    function(c) return c:images { model = "m", prompt = "a fox" } end },
  ["models"] = { { { body = '{"data":[{"id":"m"}]}' } }, function(c) return c:models() end },
  ["bytes"] = { { { body = "\255\0\1RIFF\r\n", headers = { ["content-type"] = "audio/wav" } } },
    function(c) return c:request { path = "/audio/speech", body = "\254 speak", raw = true } end },
  ["a stream"] = { { { headers = SSE,
    chunks = { event "Hel", { pause = 0.05 }, event "lo", { pause = 0.02 }, DONE } } }, pieces_of },
  ["a stream that is cut in the middle of characters"] = { { { headers = SSE, chunks = { GREETING:sub(1, -14),
    { pause = 0.03 }, GREETING:sub(-13), DONE } } }, pieces_of },
  ["a stream of responses"] = { { { headers = SSE, chunks = {
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"hi"}\n\n', { pause = 0.02 },
    'data: {"type":"response.completed","response":{"object":"response","output":[]}}\n\n' } } },
    function(c) return c:responses({ model = "m", input = "hi", stream = true }):collect() end },
  ["a message"] = { { { status = 529, body = OVERLOADED }, { body = MESSAGE } },
    function(c) return c:messages { model = "m", max_tokens = 9, messages = PARAMS.messages } end, 2 },
  ["a stream of a message"] = { { { headers = SSE, chunks = { 'data: {"type":"message_start","message":' .. MESSAGE
    .. "}\n\n", { pause = 0.02 }, 'event: message_stop\ndata: {"type":"message_stop"}\n\n' } } },
    function(c) return c:messages({ model = "m", messages = PARAMS.messages, stream = true }):collect() end },
  ["a message that fails in its middle"] = { { { headers = SSE, chunks = { 'data: {"type":"message_start","message":'
    .. MESSAGE .. "}\n\n", { pause = 0.02 }, "event: error\ndata: " .. OVERLOADED .. "\n\n" } } },
    function(c) return c:messages({ model = "m", messages = PARAMS.messages, stream = true }):collect() end },
  ["an answer of Gemini's"] = { { { body = GEMINI } },
    function(c) return c:generate_content { model = "g/m", contents = {} } end },
  ["a stream of Gemini's"] = { { { headers = SSE, chunks = { "data: " .. GEMINI:gsub(',"finishReason":"STOP"', "")
    .. "\n\n", { pause = 0.02 }, "data: " .. GEMINI .. "\n\n" } } },
    function(c) return c:generate_content({ model = "g/m", contents = {}, stream = true }):collect() end },
  ["a stream of any events"] = { { { headers = SSE, chunks = { 'data: {"a":1}\n\n', { pause = 0.02 },
    'data: {"a":2}\n\n' } } },
    function(c) return c:request({ path = "/events", stream = true }):collect() end },
  ["a coded answer"] = { { { body = GZIP, headers = { "Content-Encoding: gzip" } } },
    function(c) return c:chat(PARAMS) end },
  ["an error"] = { { { status = 404, reason = "Not Found", body = '{"error":{"message":"no such model"}}' } },
    function(c) return c:chat(PARAMS) end },
  ["failures that are retried"] = { { { status = 429, headers = { ["retry-after-ms"] = "20" }, body = "{}" },
    { status = 503, body = "<title>down</title>" }, { raw = "", close = "rst" },
    { body = server.completion "at last" } },
    function(c) return c:chat(PARAMS) end, 4 },
  ["a call that fails for good"] = { { { status = 500 }, { status = 502 }, { status = 503 }, { status = 529 } },
    function(c) return c:chat(PARAMS) end, 4 },
  ["half an answer"] = { { { body = server.completion "hello", cut = 150 } },
    function(c) return c:chat(PARAMS, { max_retries = 0 }) end },
  ["a stream that breaks"] = { { { headers = SSE, chunks = { event "Hel", { pause = 0.02 } }, last_chunk = false,
    close = true } }, pieces_of },
  ["an answer that is too large"] = { { { body = ("x"):rep(1000) } },
    function(c) return c:chat(PARAMS, { max_response_bytes = 100, max_retries = 0 }) end },
  ["a form with files"] = { { { status = 503 }, { body = '{"text":"hello"}' } },
    function(c)
      local file = ofox.file { bytes = "\255\0RIFF", name = "a.wav" }
      return c:transcribe { model = "m", file = file, language = "en" }
    end, 2 },
  ["bytes as they come"] = { { { headers = { ["content-type"] = "audio/wav" },
    chunks = { "\255\0RI", { pause = 0.02 }, "FF" } } },
    function(c)
      local stream, pieces = assert(c:request { path = "/audio/speech", body = "speak", raw = true, stream = true }), {}
      for piece in stream:bytes() do pieces[#pieces + 1] = piece end
      return nil, { type = table.concat(pieces, "|"), retries = {} }
    end },
  ["lines of JSON"] = { { { headers = { ["content-type"] = "application/x-ndjson" },
    chunks = { '{"a":1}\n{"a"', { pause = 0.02 }, ":2}\n" } } },
    function(c) return c:request({ path = "/lines", stream = true }):collect() end },
  ["an answer to HEAD"] = { { { status = 204 } },
    function(c) return c:request { path = "/ping", method = "HEAD" } end },
}

describe("[2.11] a recording plays back, byte by byte and moment by moment,", function()
  for name, kind in pairs(KINDS) do
    it(name, function()
      s:script(kind[1])
      local real = outcome(pcall(kind[2], client_of(mock.record(path), { retry = { base = 0.01, jitter = "none" } })))
      assert.not_equal("raised", real[1], real[2])
      local first = lines(path)
      assert.equal(1 + (kind[3] or 1), #first)

      -- what plays back is recorded, too
      local replay = mock.replay(path)
      local began = replay:now()
      local played = outcome(pcall(kind[2],
        client_of(mock.record(second, replay), { retry = { base = 0.01, jitter = "none" }, api_key = "sk-any-other" })))
      assert.same(real, played)
      local again = lines(second)
      assert.equal(#first, #again)
      for i = 2, #first do
        assert.same(first[i].moments, again[i].moments)
        for _, member in ipairs { "method", "path", "body" } do assert.same(first[i][member], again[i][member]) end
        assert.is_true(math.abs(first[i].wall - again[i].wall) < 1e-4)
      end
      assert.equal(0, replay:unused())
      assert.is_true(replay:now() - began >= first[#first].moments[#first[#first].moments - 1][1])
    end)
  end

  it("bytes that are no UTF-8, in pieces that are none", function()
    s:script { KINDS.bytes[1][1] }
    client_of(mock.record(path)):request { path = "/audio/speech", body = "\254 speak", raw = true }
    local line = lines(path)[2]
    assert.same({ "\255\0\1RIFF\r\n", true }, { body_of(line) })
    assert.same({ base64 = "/iBzcGVhaw==" }, line.body)
  end)

  it("the pauses of a stream, in virtual time", function()
    local carrier = mock.new():reply { delay = 3, sse = { json.decode(event("a"):sub(7)), 2.5,
      json.decode(event("b"):sub(7)) } }
    pieces_of(client_of(mock.record(path, carrier)))
    local replay = mock.replay(path)
    local stream, at = client_of(replay):stream(PARAMS), {}
    for i, text in ipairs { "a", "b" } do
      assert.equal(text, stream:read())
      at[i] = math.floor(replay:now() * 1e6 + 0.5)
    end
    stream:close()
    assert.same({ 3000000, 5500000 }, at)
  end)

  it("a date, so that waits until a moment are the same", function()
    s:script { { status = 429, headers = { ["x-ratelimit-reset"] = ("%d"):format(os.time() + 3000) }, body = "{}" } }
    local same = { retry = { seed = 1 } } -- the wait is a little longer by chance
    local _, real = client_of(mock.record(path), same):chat(PARAMS)
    assert.is_true(real.retry_after > 2900)
    local _, played = client_of(mock.replay(path), same):chat(PARAMS)
    assert.is_true(math.abs(played.retry_after - real.retry_after) < 1e-3)
    assert.is_true(math.abs(played.retry_at - real.retry_at) < 0.1)
  end)
end)

describe("[2.11] ofox.mock.record", function()
  it("writes a call that the program ends, and one of a closed stream", function()
    s:script { { headers = SSE, chunks = { event "Hel" }, last_chunk = false, stall = true }, { stall = true } }
    local c, token = client_of(mock.record(path)), ofox.cancel_token()
    local stream = c:stream(PARAMS)
    assert.equal("Hel", stream:read())
    stream:close()
    ofox.go(function() ofox.sleep(0.05) token:cancel() end)
    local _, err = c:chat(PARAMS, { cancel = token })
    assert.equal("cancelled_error", err.type)
    local list = lines(path)
    assert.equal(3, #list)
    for i = 2, 3 do assert.equal("CANCELLED", list[i].moments[#list[i].moments][3]) end
    local replay = client_of(mock.replay(path))
    stream = replay:stream(PARAMS)
    assert.equal("Hel", stream:read())
    stream:close()
    _, err = replay:chat(PARAMS)
    assert.equal("cancelled_error", err.type)
  end)

  it("keeps calls side by side apart, in tasks, and has them wait for real", function()
    s:script { { delay = 0.1, body = server.completion "one" }, { body = server.completion "one" },
      { body = server.completion "one" } }
    local c = client_of(mock.record(path), { errors = "raise" })
    local function ask(word)
      return c:chat { model = "m", messages = { { role = "user", content = word } } }:output_text()
    end
    ofox.map({ "a", "b", "c" }, ask)
    assert.equal(4, #lines(path))
    c = client_of(mock.replay(path), { errors = "raise" })
    for i, result in ipairs(ofox.map({ "c", "a", "b" }, ask)) do assert.equal("one", result[2], i) end
  end)

  it("has a client count what it does", function()
    s:script { { body = server.completion "hello" } }
    local c = client_of(mock.record(path))
    c:chat(PARAMS)
    assert.equal(1, c:stats().succeeded)
  end)

  it("replaces the file, and says why it cannot", function()
    proc.write(path, "old")
    mock.record(path)
    assert.equal('{"ofox_recording":1}\n', proc.read(path))
    local function misuse(message, ...)
      local args = { ... }
      local ok, text = pcall(function() mock.record(args[1], args[2]) end)
      assert.is_false(ok)
      assert.matches("recording_spec.lua:%d+: ofox.mock.record: " .. message, text)
    end
    misuse("path: expected a path, got nil")
    misuse("path: .-: Not a directory", path .. "/below/it")
    misuse("transport: expected a transport with the methods start and step", path, {})
  end)

  it("tells the program of a disk that is full", function()
    if not io.open("/dev/full", "w") then return end
    for _ = 1, 200 do mock.record(path) end -- LuaJIT has compiled it
    local ok, message = pcall(mock.record, "/dev/full")
    assert.is_false(ok)
    assert.matches("No space left", message)
  end)
end)

describe("[2.11] a cookie of the server", function()
  it("is not in the file, on one line or folded to several", function()
    local heads = { "HTTP/1.1 200 OK\r\n", "Set-Cookie: sid=one\r\n", "set-cookie:\r\n", " sid=two;\r\n",
      "\tpath=three\r\n", "x-other: stays\r\n", "  as it is\r\n", "\r\n" }
    local moments = {}
    for i, head in ipairs(heads) do moments[i] = json.list { 0, "head", head } end
    moments[#moments + 1] = json.list { 0, "body", server.completion "ok" }
    moments[#moments + 1] = json.list { 0, "end", "ANSWERED", true, "" }
    proc.write(second, '{"ofox_recording":1}\n' .. json.encode { method = "POST", path = "/v1/chat/completions",
      body = json.encode(PARAMS), wall = 1, moments = json.list(moments) } .. "\n")
    assert(client_of(mock.record(path, mock.replay(second))):chat(PARAMS))
    local text = proc.read(path)
    for _, secret in ipairs { "one", "two", "three" } do assert.is_nil(text:find(secret, 1, true), text) end
    assert.is_truthy(text:find("x-other: stays", 1, true) and text:find("  as it is", 1, true), text)
  end)
end)

describe("[2.11] ofox.mock.replay", function()
  -- A recording of these questions, each answered by itself.
  local function record(...)
    local steps = {}
    for i, word in ipairs { ... } do steps[i] = { body = server.completion(word) } end
    s:script(steps)
    local c = client_of(mock.record(path))
    for _, word in ipairs { ... } do
      c:chat { model = "m", temperature = 1, messages = { { role = "user", content = word } } }
    end
  end

  local function ask(c, word, more)
    local params = { model = "m", temperature = 1, messages = { { role = "user", content = word } } }
    for name, value in pairs(more or {}) do params[name] = value end
    return c:chat(params)
  end

  it("answers in any order, each line once", function()
    record("one", "two", "one")
    local replay = mock.replay(path)
    local c = client_of(replay)
    for _, word in ipairs { "two", "one", "one" } do assert.equal(word, ask(c, word):output_text()) end
    assert.equal(0, replay:unused())
    assert.equal(3, #replay.requests)
    replay:reset()
    assert.equal(3, replay:unused())
    assert.equal("two", ask(c, "two"):output_text())
  end)

  it("compares JSON by its values, and no host and no key", function()
    s:script { { body = "{}" }, { body = "{}" } }
    client_of(mock.record(path)):request { path = "/x", body = '{"a":1,"b":[1,2]}', query = { key = "sk-1", q = "a" } }
    local c = client_of(mock.replay(path), { base_url = "http://elsewhere.invalid/v1", api_key = "sk-other-secret" })
    assert.is_table((c:request { path = "/x", body = ' {"b":[1.0,2],"a":1}', query = { key = "sk-2", q = "a" } }))
  end)

  it("says what is nearest to what it cannot answer", function()
    record("one", "two and more of it, and more than fits into a line", "three")
    local c = client_of(mock.replay(path))
    local function refused(fn, ...)
      local ok, message = pcall(fn, ...)
      assert.is_false(ok)
      return (message:gsub("^ofox.mock: nothing in .- answers ", ""))
    end
    local AT = "POST /v1/chat/completions; the nearest is line "
    assert.equal(AT .. '2: messages[1].content is "one" there, and "on" here', refused(ask, c, "on"))
    assert.equal(AT .. '2: temperature is 1 there, and 2 here', refused(ask, c, "one", { temperature = 2 }))
    assert.equal(AT .. '2: seed is absent there, and 7 here', refused(ask, c, "one", { seed = 7 }))
    assert.equal(AT .. '2: messages[1].content is "one" there, and "x" here; 1 more differ',
      refused(ask, c, "x", { model = "n" }))
    assert.matches('is "two and more of it, and more t"… there, and "two and less" here',
      refused(ask, c, "two and less"), 1, true)
    assert.equal("GET /v1/models; the nearest is line 2: POST /v1/chat/completions", refused(c.models, c))
    ask(c, "one")
    assert.equal(AT .. "2: the same, but it has answered already", refused(ask, c, "one"))
    assert.equal("GET /v1/chat/completions; the nearest is line 2: POST /v1/chat/completions",
      refused(c.request, c, { path = "/chat/completions" }))
    mock.record(path)
    assert.equal("GET /v1/models; it is empty", refused(function() client_of(mock.replay(path)):models() end))
  end)

  it("has one nearest line of other paths: the same query apart, or the longest beginning", function()
    s:script { { body = "{}" }, { body = "{}" }, { body = "{}" }, { body = "{}" } }
    local c = client_of(mock.record(path))
    c:request { path = "/files/abc/content" }
    c:model "vendor/model"
    c:request { path = "/files", query = { after = "x" } }
    c:request { path = "/files", query = { after = "y" }, method = "DELETE" }
    c = client_of(mock.replay(path))
    for line, fn in pairs {
      ["line 2: GET /v1/files/abc/content"] = function() c:request { path = "/files/abd" } end,
      ["line 3: GET /v1/models/vendor/model"] = function() c:model "vendor/models" end,
      ["line 4: GET /v1/files?after=x"] = function() c:request { path = "/files", query = { after = "z" } } end,
      ["line 5: DELETE /v1/files?after=y"] = function()
        c:request { path = "/files", query = { after = "z" }, method = "DELETE" }
      end,
    } do
      local ok, message = pcall(fn)
      assert.is_false(ok)
      assert.equal("the nearest is " .. line, message:match("; (.*)$"))
    end
  end)

  describe("of a form", function()
    local function file(bytes, name, type) return ofox.file { bytes = bytes, name = name or "a.wav", type = type } end

    local function transcribe(c, of, more)
      return c:transcribe(calls.with({ model = "m", file = of, language = "en" }, more))
    end

    before_each(function()
      s:script { { body = "{}" }, { body = "{}" } }
      local c = client_of(mock.record(path))
      transcribe(c, file "\255\0RIFF")
      c:edit_images { model = "m", prompt = "a hat", image = { file("one", "1.png"), file("two", "2.png") } }
    end)

    it("compares the parts, whatever is between them", function()
      local replay = mock.replay(path)
      local c = client_of(replay)
      assert.is_table(transcribe(c, file "\255\0RIFF"))
      assert.is_table((c:request { path = "/images/edits", method = "POST",
        headers = { ["content-type"] = "multipart/form-data; boundary=other" },
        body = '--other\r\ncontent-disposition: form-data; name="image[]"; filename="1.png"\r\n'
          .. 'content-type: image/png\r\n\r\none\r\n--other\r\n'
          .. 'Content-Disposition: form-data; name="model"\r\n\r\nm\r\n--other\r\n'
          .. 'Content-Disposition: form-data; name="prompt"\r\n\r\na hat\r\n--other\r\n'
          .. 'Content-Type: image/png\r\nContent-Disposition: form-data; name="image[]"; filename="2.png"\r\n\r\n'
          .. 'two\r\n--other--\r\n' }))
      assert.equal(0, replay:unused())
    end)

    it("says which part differs, and how", function()
      local c = client_of(mock.replay(path))
      local function refused(fn, ...)
        local ok, message = pcall(fn, ...)
        assert.is_false(ok)
        return message:match("; the nearest is (.*)$")
      end
      assert.equal("line 2: file.content is 6 bytes there, and 7 bytes here",
        refused(transcribe, c, file "\255\0RIFX!"))
      assert.equal("line 2: file.content is 6 bytes there, and 6 bytes here; they differ at byte 6",
        refused(transcribe, c, file "\255\0RIFX"))
      assert.equal('line 2: file.filename is "a.wav" there, and "b.wav" here',
        refused(transcribe, c, file("\255\0RIFF", "b.wav")))
      assert.equal('line 2: file.type is "audio/wav" there, and "audio/x" here',
        refused(transcribe, c, file("\255\0RIFF", nil, "audio/x")))
      assert.equal('line 2: language is "en" there, and "de" here',
        refused(transcribe, c, file "\255\0RIFF", { language = "de" }))
      assert.equal('line 2: prompt is absent there, and "x" here',
        refused(transcribe, c, file "\255\0RIFF", { prompt = "x" }))
      assert.equal('line 3: image[][2].content is "two" there, and "2" here', refused(c.edit_images, c,
        { model = "m", prompt = "a hat", image = { file("one", "1.png"), file("2", "2.png") } }))
    end)
  end)

  it("leaves other requests to what is queued", function()
    record "one"
    local replay = mock.replay(path):always { body = server.completion "queued" }
    local c = client_of(replay)
    assert.equal("queued", ask(c, "two"):output_text())
    assert.equal("one", ask(c, "one"):output_text())
  end)

  it("runs out of time as the recorded call did, whatever limits the client has", function()
    local carrier = mock.new():reply { fail = "timeout" }
      :reply { sse = { json.decode(event("Hel"):sub(7)) }, fail = "idle_timeout" }
    local function fail(c)
      local _, err = c:chat(PARAMS)
      local _, broken = pieces_of(c)
      return { err.type, err.code, err.ambiguous, broken.type, broken.code, broken.partial.text }
    end
    local real = fail(client_of(mock.record(path, carrier), { timeout = 10, idle_timeout = 20, max_retries = 0 }))
    assert.same({ "timeout_error", "timeout", true, "timeout_error", "idle_timeout", "Hel" }, real)
    for _, limit in ipairs { 10, 600 } do
      local replay = mock.replay(path)
      assert.same(real, fail(client_of(replay, { timeout = limit, idle_timeout = limit * 2, max_retries = 0 })))
      assert.equal(30, math.floor(replay:now() + 0.5))
    end
  end)

  it("obeys the limits of the client that it answers", function()
    s:script { { delay = 0.3, body = server.completion "late" } }
    client_of(mock.record(path)):chat(PARAMS)
    local _, err = client_of(mock.replay(path), { timeout = 0.1, max_retries = 0 }):chat(PARAMS)
    assert.same({ "timeout_error", "timeout" }, { err.type, err.code })
  end)

  -- One of a pair is the call's history, whichever it is.
  for name, pair in pairs {
    ["the second of a pair that answers"] = { { delay = 9, body = server.completion "slow" },
      { delay = 1, body = server.completion "quick" } },
    ["the first of a pair that answers"] = { { delay = 3, body = server.completion "one" },
      { delay = 9, body = server.completion "two" } },
    ["a first one that fails beside the second"] = { { delay = 3, status = 500, body = "{}" },
      { delay = 4, body = server.completion "quick" } },
    ["a second one that fails beside the first"] = { { delay = 4, body = server.completion "slow" },
      { delay = 1, status = 500, body = "{}" } },
  } do
    it("keeps and gives " .. name, function()
      local carrier = mock.new()
      for _, reply in ipairs(pair) do carrier:reply(reply) end
      local c = client_of(mock.record(path, carrier), { hedge = 2 })
      local real = outcome(pcall(c.chat, c, PARAMS))
      assert.equal(3, #lines(path))
      local replay = mock.replay(path)
      assert.same(real, outcome(pcall(function() return client_of(replay, { hedge = 2 }):chat(PARAMS) end)))
      assert.equal(2, real[2].attempts)
      assert.equal(0, replay:unused())
      assert.equal(math.floor(carrier:now() * 1e3 + 0.5), math.floor(replay:now() * 1e3 + 0.5))
    end)
  end

  it("keeps both of a pair that a limit ends, and one that a hook ends", function()
    local carrier = mock.new()
    carrier:always { delay = 20, body = server.completion "late" }
    local client = client_of(mock.record(path, carrier), { hedge = 2, api_key = function()
      if carrier.requests[3] then error("no", 0) end
      return "sk-of-secret-0123456789"
    end })
    local _, err = client:chat(PARAMS, { deadline = 5 })
    assert.same({ "timeout_error", 2 }, { err.type, err.attempts })
    assert.same({ false, "no" }, { pcall(client.chat, client, PARAMS) })
    assert.equal(4, #lines(path))
  end)

  it("says what is wrong with a file", function()
    local function problem(content)
      proc.write(path, content)
      local ok, message = pcall(function() mock.replay(path) end)
      assert.is_false(ok)
      return (message:match("recording_spec.lua:%d+: ofox.mock.replay: path: (.*)$"):gsub(path, "FILE", 1))
    end
    assert.equal("FILE is empty: no recording of ofox.mock.record", problem "")
    assert.equal("FILE is no recording of ofox.mock.record", problem '{"a":1}\n')
    assert.equal("FILE is no recording of ofox.mock.record", problem '{"ofox_reco')
    assert.equal("FILE is a recording of version 2, and this ofox reads version 1", problem '{"ofox_recording":2}\n')
    assert.equal("FILE is a recording of version 10, and this ofox reads version 1",
      problem '{"ofox_recording": 10, "new": true}\nanything')
    local head = '{"ofox_recording":1}\n'
    local START = '{"method":"GET","path":"/","wall":0,"moments":['
    local GOOD = START .. '[0,"end","ANSWERED",true,""]]}\n'
    for line, why in pairs {
      ["{"] = "no JSON: ",
      ["[]"] = "method is missing",
      ["5"] = "no object",
      ['{"method":"GET","path":5}'] = "path is missing",
      ['{"method":"GET","path":"/","moments":[]}'] = "wall is missing",
      ['{"method":"GET","path":"/","wall":0}'] = "moments are missing",
      ['{"method":"GET","path":"/","wall":0,"body":5,"moments":[]}'] = "body is no text",
      ['{"method":"GET","path":"/","wall":0,"body":{"base64":"?"},"moments":[]}'] = "body is no text",
      [START .. "]}"] = "moments have no end",
      [START .. '[0,"end","NO"]]}'] = "moments[1]: no outcome",
      [START .. '[0,"body",5],[0,"end","ANSWERED"]]}'] = "moments[1]: no text",
      [START .. '[0,"head","HTTP/1.1 200"]]}'] = "moments have no end",
      [START .. '[0,"head","HTTP/1.1 200"],[1,"tail"]]}'] = "moments[2]: unknown",
      [START .. '5]}'] = "moments[1]: unknown",
      [START .. '["0","end","ANSWERED"]]}'] = "moments[1]: no time",
      [START .. '[-1,"end","ANSWERED"]]}'] = "moments[1]: no time",
      [START .. '[1e999,"end","ANSWERED"]]}'] = "moments[1]: no time",
      [START .. '[0,"end","ANSWERED"],[1,"end","ANSWERED"]]}'] = "moments[1]: no last one",
    } do
      local said = problem(head .. GOOD .. line .. "\n" .. GOOD)
      assert.equal("line 3 of FILE is no line of a recording: " .. why,
        said:sub(1, #"line 3 of FILE is no line of a recording: " + #why))
    end
    for _, cut in ipairs { 1, 2, 20, #GOOD - 2 } do
      assert.equal("line 3 of FILE is cut off", problem(head .. GOOD .. GOOD:sub(1, cut)))
    end
    proc.write(path, head .. GOOD .. GOOD:sub(1, -2)) -- all of the last line is there
    assert.equal(2, mock.replay(path):unused())
    proc.write(path, (head .. GOOD .. "\n" .. GOOD):gsub("\n", "\r\n")) -- as some editors write it
    assert.equal(2, mock.replay(path):unused())
    for _, case in ipairs { { nil, "path: expected a path, got nil" }, { path .. "-", "path: .-: No such file" } } do
      local _, message = pcall(function() mock.replay(case[1]) end)
      assert.matches("recording_spec.lua:%d+: ofox.mock.replay: " .. case[2], message)
    end
    assert.is_false((pcall(mock.replay, ".")))
  end)
end)
