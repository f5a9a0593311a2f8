-- client:stats(): what a client has done, in numbers. Through the mock, on
-- virtual time: each number is exact.
local mock = require "ofox.mock"
local ofox = require "ofox"

local PARAMS = { model = "m/one", messages = { { role = "user", content = "hi" } } }
local EMPTY = { input = 0, output = 0, cached = 0, reasoning = 0 }

local function answer(usage)
  return { choices = { { message = { content = "hi" }, finish_reason = "stop" } }, usage = usage }
end

local function setup(opts)
  local transport = mock.new()
  local all = { api_key = "sk-secret-1234567890", transport = transport, errors = "return",
    retry = { jitter = "none" } }
  for name, value in pairs(opts or {}) do all[name] = value end
  return ofox.new(all), transport
end

local function queue(transport, ...)
  for _, reply in ipairs { ... } do
    transport:reply(type(reply) == "number" and { status = reply, body = { error = { message = "no" } } } or reply)
  end
end

-- A stream of these events.
local function events(...)
  local sse = {}
  for i, item in ipairs { ... } do
    sse[i] = type(item) == "string" and item:find "^%a" and item ~= "[DONE]"
      and { choices = { { index = 0, delta = { content = item } } } } or item
  end
  return { sse = sse }
end

local STOP = { choices = { { index = 0, delta = ofox.object {}, finish_reason = "stop" } } }
local USED = { choices = ofox.array {}, usage = { prompt_tokens = 3, completion_tokens = 4 } }

-- The numbers of calls, in the order of: calls, attempts, succeeded, failed,
-- retries, in_flight, waiting.
local function assert_counts(expected, s)
  assert.same(expected, { s.calls, s.attempts, s.succeeded, s.failed, s.retries, s.in_flight, s.waiting })
end

local function assert_histogram(count, sum, max, histogram)
  assert.equal(count, histogram.count)
  assert.is_true(math.abs(sum - histogram.sum) < 1e-9, histogram.sum)
  assert.is_true(math.abs(max - histogram.max) < 1e-9, histogram.max)
end

describe("client:stats", function()
  it("says zero of a client that has done nothing", function()
    local s = setup():stats()
    assert_counts({ 0, 0, 0, 0, 0, 0, 0 }, s)
    assert.same({}, s.errors)
    assert.same({}, s.attempt_errors)
    assert.same({}, s.models)
    assert.same(EMPTY, s.tokens)
    assert.same({ sent = 0, received = 0 }, s.bytes)
    assert.same({ ["1m"] = 0, ["5m"] = 0, ["15m"] = 0 }, s.error_rate)
    for _, name in ipairs { "latency", "first_byte", "waits" } do
      assert_histogram(0, 0, 0, s[name])
      assert.equal(17, #s[name].buckets)
    end
  end)

  it("counts a call that is answered", function()
    local client, transport = setup()
    transport:reply { delay = 0.5, body = answer { prompt_tokens = 24, completion_tokens = 10, total_tokens = 34,
      prompt_tokens_details = { cached_tokens = 8 }, completion_tokens_details = { reasoning_tokens = 6 } } }
    assert(client:chat(PARAMS))
    local s = client:stats()
    local tokens = { input = 24, output = 10, cached = 8, reasoning = 6 }
    assert_counts({ 1, 1, 1, 0, 0, 0, 0 }, s)
    assert.same(tokens, s.tokens)
    assert.same({ ["m/one"] = { calls = 1, failed = 0, tokens = tokens } }, s.models)
    assert_histogram(1, 0.5, 0.5, s.latency)
    assert_histogram(1, 0.5, 0.5, s.first_byte)
    assert_histogram(0, 0, 0, s.waits)
    assert.equal(0.5, s.latency.p50)
    assert.equal(0.5, s.latency.p99)
    assert.same({ le = 0.32, count = 0 }, s.latency.buckets[6])
    assert.same({ le = 0.64, count = 1 }, s.latency.buckets[7])
    assert.equal(#transport.requests[1].body, s.bytes.sent)
    assert.is_true(s.bytes.received > 200)
  end)

  it("reads the tokens of every protocol, and of a decoder of the program", function()
    local rows = {
      { { input_tokens = 5, output_tokens = 6, input_tokens_details = { cached_tokens = 1 },
        output_tokens_details = { reasoning_tokens = 2 } }, { 5, 6, 1, 2 } },
      { { input_tokens = 5, output_tokens = 6, cache_read_input_tokens = 10, cache_creation_input_tokens = 100 },
        { 115, 6, 10, 0 } },
      { { prompt_tokens = 7, completion_tokens = 1, prompt_cache_hit_tokens = 4 }, { 7, 1, 4, 0 } },
      { { prompt_tokens = 16, total_tokens = 16 }, { 16, 0, 0, 0 } },
      { { prompt_tokens = "7", completion_tokens = -1, prompt_tokens_details = 5 }, { 0, 0, 0, 0 } },
      { { prompt_tokens = 1e10, completion_tokens = 2 }, { 0, 2, 0, 0 } },
      { 5, { 0, 0, 0, 0 } }, { { 1, 2 }, { 0, 0, 0, 0 } }, { ofox.null, { 0, 0, 0, 0 } },
    }
    for _, decoder in ipairs { false, require "ofox.json".decode } do
      for i, row in ipairs(rows) do
        local client, transport = setup { json = decoder or nil }
        transport:reply { body = answer(row[1]) }
        assert(client:chat(PARAMS))
        local t = client:stats().tokens
        assert.same(row[2], { t.input, t.output, t.cached, t.reasoning }, i)
      end
    end
    local client, transport = setup()
    transport:reply { body = { usageMetadata = { promptTokenCount = 3, candidatesTokenCount = 4,
      thoughtsTokenCount = 5, toolUsePromptTokenCount = 6, cachedContentTokenCount = 2 } } }
    assert(client:request { path = "/x" })
    assert.same({ input = 9, output = 9, cached = 2, reasoning = 5 }, client:stats().tokens)
  end)

  it("reads them wherever they stand, and the same of any JSON whoever decodes it", function()
    local rows = {
      { '{"usage":{"prompt_tokens":1},"usage":{"prompt_tokens":2,"completion_tokens":3}}', { 2, 3, 0, 0 } },
      { '{"usage":{"prompt_tokens":1},"usage":5}', { 0, 0, 0, 0 } },
      { '{"usage":{"prompt_tokens":1},"usage":null}', { 1, 0, 0, 0 } },
      { '{"usage":{"prompt_tokens":1},"usageMetadata":{"promptTokenCount":7}}', { 1, 0, 0, 0 } },
      { '{"usageMetadata":{"promptTokenCount":7},"usage":{"output_tokens":1}}', { 0, 1, 0, 0 } },
      { '{"usage":[],"usageMetadata":{"promptTokenCount":7}}', { 0, 0, 0, 0 } },
      { '{"a":{"usage":{"prompt_tokens":9}},"b":[{"usage":{"prompt_tokens":9}}],"usage":{"prompt_tokens":1}}',
        { 1, 0, 0, 0 } },
      { '{"usage":{"prompt_tokens":1,"prompt_tokens":2e1,"prompt_tokens":null,"completion_tokens":[5],' ..
        '"x":{"output_tokens":8}}}', { 20, 0, 0, 0 } },
      { '{"usage":{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":1,"cached_tokens":2,' ..
        '"audio_tokens":5,"x":{"cached_tokens":8},"reasoning_tokens":3}}}', { 9, 0, 2, 0 } },
      { '{"usage":{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":1},"prompt_tokens_details":{}}}',
        { 9, 0, 0, 0 } },
      { '{"usage":{"completion_tokens":9,"completion_tokens_details":{"reasoning_tokens":2,"cached_tokens":3},' ..
        '"completion_tokens_details":null}}', { 0, 9, 0, 2 } },
      { '\239\187\191 { "usage" : { "input_tokens" : 5.0 , "output_tokens" : 6 } } ', { 5, 6, 0, 0 } },
      { '[{"usage":{"prompt_tokens":9}}]', { 0, 0, 0, 0 } }, { '[]', { 0, 0, 0, 0 } }, { '{}', { 0, 0, 0, 0 } },
      { '5', { 0, 0, 0, 0 } }, { '{"usage":{}}', { 0, 0, 0, 0 } },
    }
    for _, decoder in ipairs { false, require "ofox.json".decode } do
      for _, row in ipairs(rows) do
        local client, transport = setup { json = decoder or nil }
        transport:reply { body = row[1] }
        assert(client:request { path = "/x" })
        local t = client:stats().tokens
        assert.same(row[2], { t.input, t.output, t.cached, t.reasoning }, row[1])
      end
    end
  end)

  it("reads none of JSON that is cut short", function()
    local client, transport = setup()
    local broken = { '{"usage":{"prompt_tokens":9', '{"usage":{"prompt_tokens":9},', '{"usage":{"prompt_tokens":-}}' }
    for _, body in ipairs(broken) do
      transport:reply { body = body }
      assert.is_nil((client:request { path = "/x" }))
    end
    assert.same(EMPTY, client:stats().tokens)
  end)

  it("counts retries, their waits and what made them", function()
    local client, transport = setup()
    queue(transport, 500, { status = 429, headers = { ["retry-after"] = "5" }, body = "{}" },
      { delay = 1, body = answer() })
    local seen = {}
    local token = ofox.cancel_token()
    assert(client:chat(PARAMS, { cancel = token, on_retry = function()
      local s = client:stats()
      seen[#seen + 1] = { s.in_flight, s.waiting, s.attempts, s.waits.count }
    end }))
    assert.same({ { 0, 1, 1, 0 }, { 0, 1, 2, 1 } }, seen)
    local s = client:stats()
    assert_counts({ 1, 3, 1, 0, 2, 0, 0 }, s)
    assert.same({ internal_error = 1, rate_limit_error = 1 }, s.attempt_errors)
    assert.same({}, s.errors)
    assert.equal(2, s.waits.count)
    assert.is_true(math.abs(s.waits.sum + 1 - s.latency.sum) < 1e-9)
    assert.is_true(s.waits.max >= 5)
    assert.equal(3 * #transport.requests[1].body, s.bytes.sent)
  end)

  it("counts a call that fails", function()
    local client, transport = setup { max_retries = 1 }
    queue(transport, 500, 503, 400)
    client:chat(PARAMS)
    client:chat(PARAMS)
    local s = client:stats()
    assert_counts({ 2, 3, 0, 2, 1, 0, 0 }, s)
    assert.same({ service_unavailable = 1, invalid_request_error = 1 }, s.errors)
    assert.same({ internal_error = 1, service_unavailable = 1, invalid_request_error = 1 }, s.attempt_errors)
    assert.same({ ["m/one"] = { calls = 2, failed = 2, tokens = EMPTY } }, s.models)
    assert.equal(1, s.error_rate["1m"])
    transport:advance(3600)
    assert.same({ ["1m"] = 0, ["5m"] = 0, ["15m"] = 0 }, client:stats().error_rate)
  end)

  it("tells what failed from what was never sent", function()
    local client = setup { api_key = function() return nil end }
    client:chat(PARAMS)
    local s = client:stats()
    assert_counts({ 1, 0, 0, 1, 0, 0, 0 }, s)
    assert.same({ authentication_error = 1 }, s.errors)
    assert.same({}, s.attempt_errors)
    assert.same({}, s.models)
    assert.equal(0, s.error_rate["1m"])
  end)

  it("counts each model that a call turned to", function()
    local client, transport = setup { fallback = { "m/two", "m/three" }, max_retries = 2 }
    queue(transport, 503, { body = answer { prompt_tokens = 1, completion_tokens = 2 } }, 503, 503, 503)
    assert(client:chat(PARAMS))
    client:chat(PARAMS)
    local s = client:stats()
    assert_counts({ 2, 5, 1, 1, 3, 0, 0 }, s)
    assert.same({
      ["m/one"] = { calls = 2, failed = 2, tokens = EMPTY },
      ["m/two"] = { calls = 2, failed = 1, tokens = { input = 1, output = 2, cached = 0, reasoning = 0 } },
      ["m/three"] = { calls = 1, failed = 1, tokens = EMPTY },
    }, s.models)
  end)

  it("bounds the models", function()
    local client, transport = setup()
    transport:always { body = answer { prompt_tokens = 1, completion_tokens = 1 } }
    for i = 1, 150 do assert(client:chat { model = "m/" .. i, messages = PARAMS.messages }) end
    local s, count = client:stats(), 0
    for _ in pairs(s.models) do count = count + 1 end
    assert.equal(101, count)
    assert.equal(1, s.models["m/100"].calls)
    assert.is_nil(s.models["m/101"])
    assert.equal(50, s.models.other.calls)
    assert.equal(50, s.models.other.tokens.input)
    assert.equal(150, s.tokens.input)
  end)

  it("knows no model of what names none", function()
    local client, transport = setup()
    queue(transport, { body = { data = ofox.array {} } }, { body = { id = "x" } })
    assert(client:models())
    assert(client:request { path = "/x", body = { model = 5 } })
    assert.same({}, client:stats().models)
    assert_counts({ 2, 2, 2, 0, 0, 0, 0 }, client:stats())
  end)

  describe("of a stream", function()
    it("counts it once, when its end has come, with its usage", function()
      local client, transport = setup()
      transport:reply(events("a", 1, "b", STOP, { choices = ofox.array {}, usage = ofox.null },
        { choices = ofox.array {}, usage = { prompt_tokens = 1, completion_tokens = 1 } }, USED, "[DONE]"))
      local stream = assert(client:stream(PARAMS))
      assert_counts({ 1, 1, 0, 0, 0, 1, 0 }, client:stats())
      assert.equal("ab", stream:collect():output_text())
      stream:close()
      local s = client:stats()
      assert_counts({ 1, 1, 1, 0, 0, 0, 0 }, s)
      assert.same({ input = 3, output = 4, cached = 0, reasoning = 0 }, s.tokens)
      assert.same(s.tokens, s.models["m/one"].tokens)
      assert_histogram(1, 1, 1, s.latency)
      assert_histogram(1, 0, 0, s.first_byte)
    end)

    it("reads the usage of responses, and of an answer sent whole", function()
      local client, transport = setup()
      local usage = { input_tokens = 3, output_tokens = 4 }
      transport:reply(events({ type = "response.output_text.delta", delta = "x" },
        { type = "response.completed", response = { id = "r", status = "completed", output = ofox.array {},
          usage = usage } }))
      assert(client:responses({ model = "m", input = "hi", stream = true }):collect())
      transport:reply { body = answer { prompt_tokens = 10, completion_tokens = 20 } }
      assert(client:stream(PARAMS):collect())
      assert.same({ input = 13, output = 24, cached = 0, reasoning = 0 }, client:stats().tokens)
      assert_counts({ 2, 2, 2, 0, 0, 0, 0 }, client:stats())
    end)

    it("counts one that the program closes as answered", function()
      local client, transport = setup()
      transport:reply(events("a", 1, "b", STOP, "[DONE]"))
      local stream = assert(client:stream(PARAMS))
      assert.equal("a", stream:read())
      stream:close()
      stream:close()
      local s = client:stats()
      assert_counts({ 1, 1, 1, 0, 0, 0, 0 }, s)
      assert.same({}, s.errors)
      assert.same({}, s.attempt_errors)
      assert.equal(0, s.models["m/one"].failed)
    end)

    it("counts one that breaks as failed, and keeps its usage", function()
      local client, transport = setup { max_retries = 0 }
      transport:reply { sse = { { choices = { { index = 0, delta = { content = "a" } } },
        usage = { prompt_tokens = 3, completion_tokens = 1 } } }, fail = "reset" }
      local stream = assert(client:stream(PARAMS))
      assert.is_nil((stream:collect()))
      local s = client:stats()
      assert_counts({ 1, 1, 0, 1, 0, 0, 0 }, s)
      assert.same({ stream_error = 1 }, s.errors)
      assert.same({ stream_error = 1 }, s.attempt_errors)
      assert.equal(3, s.tokens.input)
    end)

    it("counts one that is cancelled", function()
      local client, transport = setup()
      transport:reply(events("a", 1, "b", STOP, "[DONE]"))
      local token = ofox.cancel_token()
      local stream = assert(client:stream(PARAMS, { cancel = token }))
      assert.equal("a", stream:read())
      token:cancel()
      assert.is_nil((stream:read()))
      local s = client:stats()
      assert_counts({ 1, 1, 0, 1, 0, 0, 0 }, s)
      assert.same({ cancelled_error = 1 }, s.errors)
      assert.equal(0, s.error_rate["1m"])
    end)

    it("counts one whose events a decoder refuses as failed", function()
      local client, transport = setup { json = function(text) return not text:find "b" and {} or nil, "no" end }
      transport:reply(events("a", "b", STOP, "[DONE]"))
      local stream = assert(client:stream(PARAMS))
      while stream:next() do end
      local s = client:stats()
      assert_counts({ 1, 1, 0, 1, 0, 0, 0 }, s)
      assert.same({ stream_error = 1 }, s.errors)
    end)
  end)

  it("counts an answer that turns out to be of no use as failed", function()
    local client, transport = setup { json = function() return nil, "no" end }
    transport:reply { body = answer() }
    local _, err = client:chat(PARAMS)
    local s = client:stats()
    assert.equal("response_error", err.type)
    assert_counts({ 1, 1, 0, 1, 0, 0, 0 }, s)
    assert.same({ response_error = 1 }, s.errors)
    assert.same({}, s.attempt_errors)
    assert.equal(1, s.models["m/one"].failed)
  end)

  it("counts a call that is cancelled while it waits", function()
    local client, transport = setup()
    queue(transport, 500)
    local token = ofox.cancel_token()
    local _, err = client:chat(PARAMS, { cancel = token, on_wait = function(left)
      if left < 0.6 then token:cancel() end
    end })
    local s = client:stats()
    assert.equal("cancelled_error", err.type)
    assert_counts({ 1, 1, 0, 1, 0, 0, 0 }, s)
    assert.same({ cancelled_error = 1 }, s.errors)
    assert.same({ internal_error = 1 }, s.attempt_errors)
    assert_histogram(1, 0.5, 0.5, s.waits)
    assert_histogram(1, 0.5, 0.5, s.latency)
  end)

  it("counts a wait that a hook forbids, or makes longer, once", function()
    local client, transport = setup()
    queue(transport, 500, 500, { body = answer() })
    client:chat(PARAMS, { on_retry = function() return false end })
    local s = client:stats()
    assert_counts({ 1, 1, 0, 1, 0, 0, 0 }, s)
    assert_histogram(1, 0, 0, s.waits)
    assert(client:chat(PARAMS, { on_retry = function() return 7 end }))
    s = client:stats()
    assert_counts({ 2, 3, 1, 1, 1, 0, 0 }, s)
    assert_histogram(2, 7, 7, s.waits)
  end)

  it("counts a call that its deadline ends", function()
    local client, transport = setup { deadline = 3 }
    queue(transport, 500, { fail = "timeout" })
    local _, err = client:chat(PARAMS)
    local s = client:stats()
    assert.equal("deadline", err.reason)
    assert_counts({ 1, 2, 0, 1, 1, 0, 0 }, s)
    assert.same({ timeout_error = 1 }, s.errors)
    assert_histogram(1, 3, 3, s.latency)
    assert_histogram(1, 1, 1, s.waits)
  end)

  it("does not count a call that misuse stops", function()
    local client = setup()
    assert.is_false(pcall(client.chat, client, { model = "m", messages = { { content = "\255" } } }))
    assert.is_false(pcall(client.chat, client, PARAMS, { timeout = -1 }))
    assert_counts({ 0, 0, 0, 0, 0, 0, 0 }, client:stats())
  end)

  it("tells clients apart, and counts all resources and options of one together", function()
    local one, transport = setup()
    local other = ofox.new { api_key = "sk-secret-1234567890", transport = transport }
    transport:always { body = { id = "x", choices = answer().choices, data = ofox.array {} } }
    assert(one:chat(PARAMS))
    assert(one:chat(PARAMS, { timeout = 5 }))
    assert(one:embeddings { model = "e", input = "x" })
    assert_counts({ 3, 3, 3, 0, 0, 0, 0 }, one:stats())
    assert_counts({ 0, 0, 0, 0, 0, 0, 0 }, other:stats())
  end)

  it("returns a new table each time", function()
    local client, transport = setup()
    transport:reply { body = answer() }
    local before = client:stats()
    assert(client:chat(PARAMS))
    assert.equal(0, before.calls)
    assert.is_not.equal(client:stats().models, client:stats().models)
  end)

  it("counts for a client that is collected while a call runs", function()
    local client, transport = setup { fallback = { "m/two" } }
    queue(transport, 503, events("a", 1, "b", STOP, USED, "[DONE]"))
    local stream = assert(client:stream(PARAMS))
    client = nil -- luacheck: ignore 311
    for _ = 1, 3 do collectgarbage() end
    assert.equal("ab", stream:collect():output_text())
    for _ = 1, 3 do collectgarbage() end
  end)

  it("counts a call that is collected before its end as cancelled", function()
    local core = require "ofox.base.native" "core"
    local counters = core.stats()
    local template = core.template({ method = "POST", url = "http://127.0.0.1:9/", stats = counters },
      { max_retries = 1, retry = {} })
    local function begin(finish)
      local call = core.call(template, 0, "{}", { "{}", "{ }" }, { "a", "b" })
      assert.is_true(call:prepare())
      assert.is_true(call:begin(0))
      if finish then call:finish("REFUSED", false, 1, 1, "") end
      return call:state()
    end
    assert.equal("flight", begin(false))
    assert.equal("wait", begin(true))
    core.call(template, 0, "{}", nil, "c") -- never begun
    for _ = 1, 3 do collectgarbage() end
    local s = core.read_stats(counters, 2)
    assert_counts({ 2, 2, 0, 2, 0, 0, 0 }, s)
    assert.same({ cancelled_error = 2 }, s.errors)
    assert.same({ cancelled_error = 1, connection_error = 1 }, s.attempt_errors)
    assert.same({ a = { calls = 2, failed = 2, tokens = EMPTY } }, s.models)
    assert_histogram(0, 0, 0, s.latency)
    assert.equal(4, s.bytes.sent)
  end)

  it("stands a call that outlives its counters", function()
    local core = require "ofox.base.native" "core"
    local counters = core.stats()
    local template = core.template({ method = "POST", url = "http://127.0.0.1:9/", stats = counters }, {})
    local call = core.call(template, 0, "{}", nil, "a")
    call:prepare()
    call:begin(0)
    debug.getmetatable(counters).__gc(counters)
    call:finish("CANCELLED", false, 1, 1, "")
    assert.equal("done", call:state())
    call = core.call(template, 0, "{}", nil, "b")
    call:prepare()
    call:begin(0)
    call:abort("CANCELLED", 0)
    assert.same({}, core.read_stats(counters, 0).models)
  end)

  it("raises misuse at the caller's line", function()
    local client = setup()
    for _, value in ipairs { 5, {}, "x" } do
      local ok, message = pcall(function() client.stats(value) end)
      assert.is_false(ok)
      assert.matches("^[^\n]*spec/stats_spec%.lua:%d+: client:stats: expected a client before the dot", message)
    end
  end)
end)

describe("ofox.prometheus", function()
  local function series(text)
    local list = {}
    for line in text:gmatch "[^\n]+" do
      if line:find "^ofox_calls_total" then list[#list + 1] = line end
    end
    return list
  end

  local function promtool(text)
    local proc = require "support.proc"
    local name = os.tmpname()
    proc.write(name, text)
    local pipe = assert(io.popen("promtool check metrics <" .. proc.quote(name) .. " 2>&1; printf $?"))
    local said = pipe:read("*a")
    pipe:close()
    os.remove(name)
    return said
  end

  it("shows what a client has done", function()
    local client, transport = setup()
    queue(transport, 500, { body = answer { prompt_tokens = 1, completion_tokens = 2 } }, 400)
    assert(client:chat(PARAMS))
    client:chat(PARAMS)
    local text = ofox.prometheus(client)
    assert.equal("0", promtool(text))
    assert.same({ "ofox_calls_total 2" }, series(text))
    assert.matches('\nofox_model_tokens_total{model="m/one",kind="output"} 2\n', text, 1, true)
    assert.matches('\nofox_latency_seconds_bucket{le="+Inf"} 2\n', text, 1, true)
    assert.matches('\nofox_errors_total{type="invalid_request_error"} 1\n', text, 1, true)
  end)

  it("tells several apart, and shows no key and no password", function()
    local first, transport = setup { base_url = "https://user:sk-password@example.test:8443/v1",
      query = { key = "sk-query" } }
    local second = setup()
    transport:reply { body = answer() }
    assert(first:chat(PARAMS))
    local text = ofox.prometheus(first, second, second)
    assert.equal("0", promtool(text))
    assert.same({ 'ofox_calls_total{client="1",host="example.test:8443"} 1',
      'ofox_calls_total{client="2",host="api.ofox.ai"} 0', 'ofox_calls_total{client="3",host="api.ofox.ai"} 0',
    }, series(text))
    assert.is_nil(text:find "sk%-")
  end)

  it("raises misuse at the caller's line, and names the argument", function()
    local client = setup()
    local function message_of(...)
      local ok, message = pcall(function(...) ofox.prometheus(...) end, ...)
      assert.is_false(ok)
      return message
    end
    local rows = { { message_of(), "argument 1: expected a client, got nil" },
      { message_of(client, nil), "argument 2: expected a client, got nil" },
      { message_of(client, client, { client }), "argument 3: expected a client, got a table" } }
    for _, row in ipairs(rows) do
      assert.matches("^[^\n]*spec/stats_spec%.lua:%d+: ofox%.prometheus: ", row[1])
      assert.matches(row[2], row[1], 1, true)
    end
  end)
end)
