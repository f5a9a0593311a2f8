-- Streams on virtual time: what a reader sees of chunks, texts, failures and
-- retries. The mock feeds the same C call as the engine does.
local cjson = require "cjson"
local ofox = require "ofox"
local mock = require "ofox.mock"

local PARAMS = { model = "openai/gpt-4o", messages = { { role = "user", content = "hi" } } }

local function setup(opts)
  local transport = mock.new()
  local all = { api_key = "sk-of-secret-0123456789", transport = transport, retry = { jitter = "none" } }
  for name, value in pairs(opts or {}) do all[name] = value end
  return ofox.new(all), transport
end

local function chunk(delta, finish, more)
  local event = {
    id = "chatcmpl-1", object = "chat.completion.chunk", created = 1703123456, model = "openai/gpt-4o",
    choices = { { index = 0, delta = delta, finish_reason = finish or ofox.null } },
  }
  for key, value in pairs(more or {}) do event[key] = value end
  return event
end

local ROLE = chunk { role = "assistant" }
local function text(piece) return chunk { content = piece } end
local STOP = chunk(ofox.object {}, "stop")
local USAGE = { id = "chatcmpl-1", object = "chat.completion.chunk", created = 1703123456, model = "openai/gpt-4o",
  choices = ofox.array {}, usage = { prompt_tokens = 1, completion_tokens = 2, total_tokens = 3 } }
local HELLO = { ROLE, text "Hel", text "lo", STOP, USAGE }

local function texts_of(stream)
  local list = {}
  for piece in stream:text() do list[#list + 1] = piece end
  return list
end

describe("a stream", function()
  it("gives its chunks, decoded, in order", function()
    local client, transport = setup()
    transport:reply { sse = HELLO }
    local seen = {}
    for one in client:stream(PARAMS):chunks() do seen[#seen + 1] = one end
    assert.equal(5, #seen)
    assert.equal("assistant", seen[1].choices[1].delta.role)
    assert.equal("lo", seen[3].choices[1].delta.content)
    assert.equal("stop", seen[4].choices[1].finish_reason)
    assert.equal(3, seen[5].usage.total_tokens)
    assert.is_truthy(transport.requests[1].body:find('"stream":true', 1, true))
    assert.equal("text/event-stream, application/json", transport.requests[1].headers.accept)
  end)

  it("is what chat and responses give when they are asked for one", function()
    local client, transport = setup()
    local params = { stream = true, model = "m", messages = {} }
    transport:reply { sse = HELLO }
    assert.equal("Hello", client:chat(params):collect():output_text())
    transport:reply { sse = {
      { type = "response.created", response = { id = "r", object = "response", output = ofox.array {} } },
      { type = "response.output_text.delta", delta = "Hel" },
      { type = "response.output_text.delta", delta = "lo" },
      { type = "response.completed", response = { id = "r", object = "response", status = "completed",
        output = { { type = "message", content = { { type = "output_text", text = "Hello" } } } } } },
    } }
    local stream = client:responses { stream = true, model = "m", input = "hi" }
    assert.same({ "Hel", "lo" }, texts_of(stream))
    assert.equal("completed", stream:collect().status)
    assert.equal("Hello", stream:collect():output_text())
  end)

  it("is an iterator itself", function()
    local client, transport = setup()
    transport:reply { sse = HELLO }
    local n = 0
    for one in client:stream(PARAMS) do
      n = n + 1
      assert.is_table(one.choices)
    end
    assert.equal(5, n)
  end)

  it("next() gives one chunk after the other, then nil for ever", function()
    local client, transport = setup()
    transport:reply { sse = HELLO }
    local stream = client:stream(PARAMS)
    for _ = 1, 5 do assert.is_table(stream:next()) end
    for _ = 1, 3 do
      local one, err = stream:next()
      assert.is_nil(one)
      assert.is_nil(err)
    end
    assert.equal("ofox.stream: ended", tostring(stream))
  end)

  it("each() closes it, also when it is left early or its function raises", function()
    local client, transport = setup()
    for _ = 1, 3 do transport:reply { sse = HELLO } end
    local n = 0
    client:stream(PARAMS):each(function() n = n + 1 end)
    assert.equal(5, n)
    local stream = client:stream(PARAMS)
    stream:each(function() n = n + 1 return false end)
    assert.equal(6, n)
    assert.equal("ofox.stream: closed", tostring(stream))
    assert.is_nil((stream:next()))
    stream = client:stream(PARAMS)
    local thrown = {}
    local ok, err = pcall(stream.each, stream, function() error(thrown) end)
    assert.is_false(ok)
    assert.is_true(err == thrown)
    assert.equal("ofox.stream: closed", tostring(stream))
  end)

  it("[D7] text() skips what has none", function()
    local client, transport = setup()
    transport:reply { sse = {
      ROLE, chunk { reasoning_content = "hm" }, text "a", chunk(ofox.object {}),
      chunk { tool_calls = { { index = 0, id = "c", ["function"] = { name = "f", arguments = "" } } } },
      text "b", { choices = { { index = 1, delta = { content = "other" } } } }, text "世界 \"\\\n", STOP, USAGE,
    } }
    assert.same({ "a", "b", "世界 \"\\\n" }, texts_of(client:stream(PARAMS)))
  end)

  it("has its meta while it flows and after", function()
    local client, transport = setup()
    transport:reply { status = 503 }
    transport:reply { headers = { ["x-request-id"] = "req_1" }, delay = 2, sse = { ROLE, text "a", 3, text "b", STOP } }
    local stream = client:stream(PARAMS)
    local meta = stream:meta()
    assert.same({ "req_1", 2, 3, 200 }, { meta.request_id, meta.attempts, meta.elapsed, meta.status })
    assert.equal(503, meta.retries[1].status)
    stream:collect()
    assert.equal(6, stream:meta().elapsed)
    assert.equal("openai/gpt-4o", stream:meta().model_requested)
  end)
end)

describe("a stream that fails", function()
  local function failing(reply, opts)
    local client, transport = setup(opts)
    transport:reply(reply)
    local stream, err = client:stream(PARAMS)
    return stream, err or transport
  end

  -- What a loop over the chunks sees: how many, and the error.
  local function loop(stream)
    local n = 0
    local ok, err = pcall(function()
      for _ in stream do n = n + 1 end
    end)
    return n, not ok and err or nil
  end

  it("[D1] before it begins is retried like any call", function()
    local client, transport = setup()
    transport:reply { status = 429, headers = { ["retry-after"] = "2" } }
    transport:reply { sse = HELLO }
    assert.equal("Hello", client:stream(PARAMS):collect():output_text())
    assert.equal(2, #transport.requests)
  end)

  it("[D1] with 400, or with an error under 200, does not begin", function()
    for _, reply in ipairs {
      { status = 400, body = { error = { message = "no" } } },
      { status = 200, body = { error = { message = "no", code = 400 } } },
    } do
      local stream, err = failing(reply)
      assert.is_nil(stream)
      assert.equal("no", err.message)
      assert.equal("invalid_request_error", err.type)
    end
  end)

  it("[D4] without [DONE] and finish_reason is truncated; either one is enough", function()
    local n, err = loop(failing { sse = { ROLE, text "a", text "b" }, fail = "truncated" })
    assert.equal(3, n)
    assert.same({ "stream_error", "truncated", "partial", "ab" }, { err.type, err.code, err.reason, err.partial.text })
    n, err = loop(failing { sse = { ROLE, text "a", STOP }, fail = "truncated" })
    assert.same({ 3, nil }, { n, err })
    n, err = loop(failing { sse = { ROLE, text "a" } })
    assert.same({ 2, nil }, { n, err })
  end)

  it("[D5] by an event gives what came before, then the class that it names", function()
    for _, event in ipairs {
      { error = { type = "rate_limit_error", message = "slow down" } },
      { error = { code = 429, message = "slow down" } },
      { object = "error", type = "rate_limit_error", message = "slow down" },
    } do
      local stream, transport = failing({ sse = { ROLE, text "a", text "b", event, text "c" } })
      local n, err = loop(stream)
      assert.equal(3, n)
      assert.equal("rate_limit_error", err.type)
      assert.equal("slow down", err.message)
      assert.same({ "partial", 1, 200 }, { err.reason, err.attempts, err.status })
      assert.same({ "ab", 3 }, { err.partial.text, err.partial.chunks })
      assert.equal(1, #transport.requests)
    end
  end)

  it("[D6] before its first content is retried unseen", function()
    for _, fail in ipairs { "reset", "truncated" } do
      local client, transport = setup()
      transport:reply { sse = { ROLE, USAGE }, fail = fail }
      transport:reply { sse = { { error = { type = "overloaded_error", message = "busy" } } } }
      transport:reply { sse = {}, fail = "truncated" }
      transport:reply { sse = HELLO }
      local stream = client:stream(PARAMS)
      local n = loop(stream)
      assert.equal(5, n)
      assert.equal(4, #transport.requests)
      assert.same({ "stream_error", "service_unavailable", "stream_error" }, {
        stream:meta().retries[1].type, stream:meta().retries[2].type, stream:meta().retries[3].type })
    end
  end)

  it("[D8] with an event that is no JSON says so without showing it", function()
    local n, err = loop(failing { sse = { ROLE, text "a", '{"secret payload' } })
    assert.equal(2, n)
    assert.same({ "stream_error", "invalid_json" }, { err.type, err.code })
    assert.is_nil(tostring(err):find("payload", 1, true))
    assert.equal("a", err.partial.text)
  end)

  it("[D9] by silence says idle_timeout, and keeps what came", function()
    local stream, transport = failing({ sse = { ROLE, text "a", 59, text "b" }, fail = "idle_timeout" })
    local n, err = loop(stream)
    assert.equal(3, n)
    assert.same({ "timeout_error", "idle_timeout", "ab" }, { err.type, err.code, err.partial.text })
    assert.equal(119, transport:now())
    assert.is_true(err.ambiguous)
  end)

  it("by taking too long says timeout", function()
    local stream, transport = failing({ sse = { ROLE, text "a", 5, text "b", 5, text "c", 5, text "d" } },
      { stream_timeout = 12 })
    local n, err = loop(stream)
    assert.same({ 4, "timeout", 12 }, { n, err.code, transport:now() })
  end)

  it("arrives by next() and collect() as 'errors' says, and in loops always raised", function()
    local reply = { sse = { ROLE, text "a" }, fail = "reset" }
    local stream = failing(reply, { errors = "return" })
    stream:next() stream:next()
    local one, err = stream:next()
    assert.is_nil(one)
    assert.equal("reset", err.code)
    assert.is_true(select(2, stream:next()) == err)
    assert.is_true(select(2, stream:collect()) == err)
    assert.is_false((pcall(stream.collect, failing(reply))))
    local _, raised = loop(failing(reply, { errors = "return" }))
    assert.equal("reset", raised.code)
    assert.equal("ofox.stream: failed", tostring(stream))
  end)

  it("by the program's cancelling keeps what came", function()
    local client, transport = setup()
    transport:reply { sse = { ROLE, text "a", 5, text "b" } }
    local token = ofox.cancel_token()
    local stream = client:stream(PARAMS, { cancel = token })
    stream:next()
    token:cancel()
    local _, err = stream:next()
    assert.same({ "cancelled_error", "cancelled", "a" }, { err.type, err.reason, err.partial.text })
  end)
end)

describe("what a broken stream shows", function()
  local KEY = "sk-of-secret-0123456789"

  it("[F3] has no key in it, however the server came to say it", function()
    local echo = chunk { content = "your key is " .. KEY }
    local call = chunk { tool_calls = { { index = 0, id = KEY,
      ["function"] = { name = "f", arguments = '"' .. KEY } } } }
    for _, reply in ipairs {
      { sse = { ROLE, echo, call }, fail = "reset" },
      { sse = { ROLE, echo, call, { error = { message = "bad key " .. KEY, code = KEY, param = KEY } } } },
      { sse = { ROLE, echo, call, '{"' .. KEY } },
    } do
      local heard = {}
      local client, transport = setup { logger = function(_, message, fields)
        heard[#heard + 1] = message
        for _, value in pairs(fields) do heard[#heard + 1] = tostring(value) end
      end }
      transport:reply(reply)
      local stream = client:stream(PARAMS)
      local ok, err = pcall(function() for _ in stream do end end)
      assert.is_false(ok)
      local dump = cjson.encode(err) .. tostring(err) .. tostring(stream) .. table.concat(heard)
      assert.is_nil(dump:find(KEY, 1, true), dump)
      assert.is_nil(dump:find("0123456789", 1, true), dump)
      assert.equal("your key is ***", err.partial.text)
    end
  end)

  it("[C13] is no more than max_response_bytes", function()
    local client, transport = setup { max_response_bytes = 1000 }
    local pieces = {}
    for i = 1, 30 do pieces[i] = text(("x"):rep(100)) end
    transport:reply { sse = pieces }
    local seen = 0
    local ok, err = pcall(function()
      for piece in client:stream(PARAMS):text() do seen = seen + #piece end
    end)
    assert.is_false(ok)
    assert.same({ "response_error", "too_large", "partial" }, { err.type, err.code, err.reason })
    assert.is_true(seen <= 1000 and seen >= 900, seen)
  end)
end)

describe("an answer that is no stream", function()
  it("but a whole completion is a stream of one chunk", function()
    local whole = { id = "x", object = "chat.completion", choices = {
      { index = 0, message = { role = "assistant", content = "Hello" }, finish_reason = "stop" } } }
    local client, transport = setup()
    for _ = 1, 3 do transport:reply { body = whole } end
    assert.same({ "Hello" }, texts_of(client:stream(PARAMS)))
    assert.same(chunk({ role = "assistant", content = "Hello" }, "stop").choices,
      client:stream(PARAMS):next().choices)
    assert.same(whole, client:stream(PARAMS):collect())
  end)

  it("nor that says what it is", function()
    for code, reply in pairs {
      html = { headers = { ["content-type"] = "text/html" }, body = "<!doctype html><title>Login</title>" },
      not_event_stream = { headers = { ["content-type"] = "text/plain" }, body = "hello" },
      empty = { headers = { ["content-type"] = "application/json" }, body = "" },
    } do
      local client, transport = setup()
      transport:reply(reply)
      local stream, err = client:stream(PARAMS)
      assert.is_nil(stream)
      assert.same({ "response_error", code }, { err.type, err.code })
    end
  end)
end)

describe("[D12] collect()", function()
  local function collected(sse)
    local client, transport = setup()
    transport:reply { sse = sse }
    return client:stream(PARAMS):collect()
  end

  it("equals the answer without a stream", function()
    assert.same({
      id = "chatcmpl-1", object = "chat.completion", created = 1703123456, model = "openai/gpt-4o",
      choices = { { index = 0, message = { role = "assistant", content = "Hello" }, finish_reason = "stop" } },
      usage = { prompt_tokens = 1, completion_tokens = 2, total_tokens = 3 },
    }, collected(HELLO))
  end)

  it("[D7] merges tool calls by their index, and reasoning", function()
    local function call(index, id, name, arguments)
      return { index = index, id = id, type = id and "function", ["function"] = { name = name, arguments = arguments } }
    end
    local res = collected {
      chunk { role = "assistant", content = ofox.null }, chunk { reasoning_content = "let me " },
      chunk { reasoning_content = "see" },
      chunk { tool_calls = { call(0, "c0", "weather", "") } }, chunk { tool_calls = { call(0, nil, nil, '{"city":') } },
      chunk { tool_calls = { call(1, "c1", "time", "") } }, chunk { tool_calls = { call(0, nil, nil, '"Bern"}') } },
      chunk { tool_calls = { call(1, nil, nil, "{}") } }, chunk(ofox.object {}, "tool_calls"),
    }
    assert.same({
      { id = "c0", name = "weather", arguments = { city = "Bern" }, arguments_json = '{"city":"Bern"}' },
      { id = "c1", name = "time", arguments = {}, arguments_json = "{}" },
    }, res:tool_calls())
    assert.equal("let me see", res.choices[1].message.reasoning_content)
    assert.is_nil(res.choices[1].message.content)
    assert.is_nil(res.choices[1].message.tool_calls[1].index)
    assert.equal("tool_calls", res.choices[1].finish_reason)
  end)

  it("[D7] keeps choices apart", function()
    local function of(index, piece, finish)
      return { choices = { { index = index, delta = { content = piece }, finish_reason = finish or ofox.null } } }
    end
    local res = collected { of(1, "b"), of(0, "a"), of(1, "B"), of(0, "A"), of(0, "", "stop"), of(1, "", "length") }
    assert.equal("aA", res.choices[1].message.content)
    assert.equal("bB", res.choices[2].message.content)
    assert.equal("length", res.choices[2].finish_reason)
  end)

  it("counts what was read before", function()
    local client, transport = setup()
    transport:reply { sse = HELLO }
    local stream = client:stream(PARAMS)
    stream:next() stream:next()
    assert.equal("Hello", stream:collect():output_text())
    assert.equal("Hello", stream:collect():output_text())
  end)
end)

describe("[S11] a whole answer to a stream", function()
  local CALLS = { { id = "a", type = "function", ["function"] = { name = "f", arguments = "{}" } },
    { id = "b", type = "function", ["function"] = { name = "g", arguments = "" } } }
  local WHOLE = { id = "x", object = "chat.completion", created = 7, model = "m", usage = { total_tokens = 3 },
    choices = {
      { index = 0, message = { role = "assistant", content = { { type = "text", text = "Hel" },
        { type = "text", text = "lo" } }, tool_calls = CALLS }, finish_reason = "tool_calls",
        logprobs = { content = {} } },
      { index = 1, message = { role = "assistant", content = "b" }, finish_reason = "stop" } } }
  local RESPONSE = { id = "r", object = "response", status = "completed", output = {
    { type = "message", role = "assistant", content = { { type = "output_text", text = "Hi" } } } } }

  local function replying(body)
    local client, transport = setup()
    transport:reply { body = body }
    if body.object == "response" then return assert(client:responses { model = "m", input = "x", stream = true }) end
    return assert(client:stream(PARAMS))
  end

  it("is a chunk", function()
    local one = replying(WHOLE):next()
    assert.same({ "chat.completion.chunk", "x", 7, "m", { total_tokens = 3 } },
      { one.object, one.id, one.created, one.model, one.usage })
    local first = one.choices[1]
    assert.is_nil(first.message)
    assert.same({ "assistant", "Hello", "tool_calls", 0, { content = {} } },
      { first.delta.role, first.delta.content, first.finish_reason, first.index, first.logprobs })
    assert.same({ index = 1, id = "b", type = "function", ["function"] = { name = "g", arguments = "" } },
      first.delta.tool_calls[2])
    assert.same({ index = 1, delta = { role = "assistant", content = "b" }, finish_reason = "stop" }, one.choices[2])
  end)

  it("is itself again by collect(), also after it was read", function()
    assert.same(WHOLE, replying(WHOLE):collect())
    local stream = replying(WHOLE)
    stream:next()
    assert.is_nil((stream:next()))
    assert.same(WHOLE, stream:collect())
    assert.same(RESPONSE, replying(RESPONSE):collect())
    local bare = { output = RESPONSE.output }
    local client, transport = setup()
    transport:reply { body = bare }
    assert.same(bare, client:responses({ model = "m", input = "x", stream = true }):collect())
  end)

  it("is its text by read() and text()", function()
    local stream = replying(WHOLE)
    assert.same({ "Hello" }, { stream:read(), stream:read() })
    assert.same({ "Hi" }, texts_of(replying(RESPONSE)))
  end)

  it("is passed on as a chunk by data()", function()
    local n = 0
    for data in replying(WHOLE):data() do
      n = n + 1
      assert.equal("Hello", cjson.decode(data).choices[1].delta.content)
    end
    assert.equal(1, n)
  end)

  it("of the Responses protocol is the event that ends it", function()
    assert.same({ type = "response.completed", response = RESPONSE }, replying(RESPONSE):next())
    local incomplete = { object = "response", status = "incomplete", output = ofox.array {} }
    assert.equal("response.incomplete", replying(incomplete):next().type)
  end)

  it("may have anything in it", function()
    for _, choices in ipairs { { 1 }, { { message = 1 } }, { { message = { tool_calls = { 1, { index = 9 } } } } },
      { { message = { content = { 1, { type = "image_url" } }, tool_calls = "x" } } }, ofox.array {} } do
      local body = { id = "x", choices = choices }
      local one = replying(body):next()
      assert.is_table(one.choices)
      assert.equal("chat.completion.chunk", one.object)
      assert.is_string(replying(body):collect():output_text())
      assert.is_table(replying(body):collect():tool_calls())
    end
  end)
end)

describe("read()", function()
  it("gives one piece after the other, then nil for ever", function()
    local client, transport = setup()
    transport:reply { sse = HELLO }
    local stream = client:stream(PARAMS)
    assert.same({ "Hel", "lo" }, { stream:read(), (stream:read()) })
    for _ = 1, 3 do assert.equal(0, select("#", stream:read()) - 1) end
    assert.is_nil((stream:read()))
    assert.equal("Hello", stream:collect():output_text())
  end)

  it("tells a failure as 'errors' says", function()
    local reply = { sse = { ROLE, text "a" }, fail = "reset" }
    local client, transport = setup { errors = "return" }
    transport:reply(reply):reply(reply)
    local stream = client:stream(PARAMS)
    assert.equal("a", stream:read())
    local piece, err = stream:read()
    assert.is_nil(piece)
    assert.same({ "stream_error", "a" }, { err.type, err.partial.text })
    assert.is_true(select(2, stream:read()) == err)
    stream = client:stream(PARAMS, { errors = "raise" })
    assert.equal("a", stream:read())
    assert.is_false((pcall(stream.read, stream)))
  end)
end)

describe("data()", function()
  it("gives the JSON of each event as it came, but no sentinel", function()
    local client, transport = setup()
    local bytes = { '{"choices":[{"index":0,"delta":{"content" : "\\u0061"}}]}', '{"x":1.50,"choices":[]}',
      '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}' }
    transport:reply { sse = bytes }
    local seen = {}
    for data in client:stream(PARAMS):data() do seen[#seen + 1] = data end
    assert.same(bytes, seen)
  end)

  it("tells the end of a stream whose last text was half a character until then", function()
    local told
    local client, transport = setup { on_response = function(meta) told = meta end }
    transport:reply { sse = { '{"choices":[{"index":0,"delta":{"content":"x\\ud83d"}}]}', 1, "[DONE]" } }
    local n = 0
    for _ in client:stream(PARAMS):data() do n = n + 1 end
    assert.same({ 1, nil }, { n, told.closed })
  end)

  it("raises what goes wrong, and gives Lua's closing value", function()
    local client, transport = setup { errors = "return" }
    transport:reply { sse = { ROLE, text "a" }, fail = "reset" }
    local stream = client:stream(PARAMS)
    local n = 0
    local ok, err = pcall(function()
      for _ in stream:data() do n = n + 1 end
    end)
    assert.same({ false, "stream_error", 2 }, { ok, err.type, n })
    assert.is_true(select(4, stream:data()) == stream)
  end)

  it("goes on where other ways of reading have left off, and they after it", function()
    local client, transport = setup()
    transport:reply { sse = { ROLE, text "a", text "b", text "c", text "d", text "e", text "f", STOP, USAGE } }
    local stream = client:stream(PARAMS)
    assert.equal("assistant", stream:next().choices[1].delta.role)
    assert.equal("a", stream:read())
    assert.equal("b", cjson.decode((stream:data()())).choices[1].delta.content)
    assert.equal("c", stream:text()())
    assert.equal("d", stream:chunks()().choices[1].delta.content)
    assert.equal("e", stream().choices[1].delta.content)
    assert.equal("f", stream:read())
    assert.equal("stop", stream:next().choices[1].finish_reason)
    assert.equal(3, cjson.decode((stream:data()())).usage.total_tokens)
    assert.is_nil((stream:read()))
    assert.equal("abcdef", stream:collect():output_text())
  end)
end)

describe("[S12] meta()", function()
  local REPLY = { headers = { ["x-request-id"] = "req_1" }, sse = { ROLE, text "a", 3, text "b", STOP } }
  local function fields(stream)
    local meta = stream:meta()
    return { meta.status, meta.request_id, meta.headers and meta.headers["x-request-id"], meta.attempts,
      meta.model_requested }
  end
  local EXPECTED = { 200, "req_1", "req_1", 1, "openai/gpt-4o" }

  for name, leave in pairs {
    ["was closed at once"] = function(stream) stream:close() end,
    ["was closed twice"] = function(stream) stream:next() stream:close() stream:close() end,
    ["was left in a loop"] = function(stream)
      for _ in stream:text() do
        stream:close() -- what Lua 5.4 does where a loop is left
      end
    end,
    ["was closed by each()"] = function(stream) stream:each(function() return false end) end,
    ["was collected"] = function(stream) stream:collect() end,
  } do
    it("knows all of a stream that " .. name, function()
      local client, transport = setup()
      transport:reply(REPLY)
      local stream = client:stream(PARAMS)
      leave(stream)
      assert.same(EXPECTED, fields(stream))
      assert.is_true(stream:meta() == stream:meta())
    end)
  end

  for name, fail in pairs { ["broke"] = "reset", ["fell silent"] = "idle_timeout" } do
    it("knows all of a stream that " .. name, function()
      local client, transport = setup { errors = "return" }
      transport:reply { headers = REPLY.headers, sse = { ROLE, text "a" }, fail = fail }
      local stream = client:stream(PARAMS)
      stream:collect()
      assert.same(EXPECTED, fields(stream))
    end)
  end

  it("knows all of a stream that was cancelled, and so does the error", function()
    local client, transport = setup { errors = "return" }
    transport:reply(REPLY)
    local token = ofox.cancel_token()
    local stream = client:stream(PARAMS, { cancel = token })
    stream:next()
    token:cancel()
    stream:next()
    local _, err = stream:next()
    assert.same({ "cancelled_error", "req_1" }, { err.type, err.request_id })
    assert.same(EXPECTED, fields(stream))
  end)
end)
