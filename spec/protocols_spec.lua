-- client:messages and client:generate_content: what is sent and where, what servers
-- of these protocols say of failures and of time, and that the key is seen nowhere.
local json = require "ofox.json"
local mock = require "ofox.mock"
local ofox = require "ofox"

local KEY = "sk-of-SECRET0123456789"

local function new(opts)
  local transport = mock.new()
  local all = { api_key = KEY, transport = transport, errors = "return", max_retries = 0,
    retry = { jitter = "none" }, base_url = "https://gate.example/v1" }
  for name, value in pairs(opts or {}) do all[name] = value end
  return ofox.new(all), transport
end

local MESSAGE = { id = "msg", type = "message", role = "assistant", content = { { type = "text", text = "Hi" } },
  stop_reason = "end_turn", usage = { input_tokens = 3, output_tokens = 4 } }
local ANSWER = { candidates = { { content = { parts = { { text = "Hi" } }, role = "model" }, finishReason = "STOP" } },
  usageMetadata = { promptTokenCount = 3, candidatesTokenCount = 4 } }

local START = { type = "message_start", message = { id = "msg", type = "message", content = json.array() } }
local function piece(text)
  return { type = "content_block_delta", index = 0, delta = { type = "text_delta", text = text } }
end
local STOP = { type = "message_stop" }
local OVERLOADED = { type = "error", error = { type = "overloaded_error", message = "Overloaded" } }

-- Both protocols: how a call is made, answers, events.
local BOTH = {
  messages = {
    key = "x-api-key", folder = "/anthropic", url = "anthropic_url", path = "/v1/messages", whole = MESSAGE,
    call = function(client, stream, opts)
      return client:messages({ model = "m", max_tokens = 9, messages = {}, stream = stream }, opts)
    end,
    sse = { START, piece "Hel", piece "lo", STOP }, body = '{"max_tokens":9,"messages":[],"model":"m"}',
    streams = '{"max_tokens":9,"messages":[],"model":"m","stream":true}',
    stream_path = "/v1/messages",
  },
  generate_content = {
    key = "x-goog-api-key", folder = "/gemini", url = "gemini_url", path = "/v1beta/models/google/g:generateContent",
    whole = ANSWER,
    call = function(client, stream, opts)
      return client:generate_content({ model = "google/g", contents = {}, stream = stream }, opts)
    end,
    sse = { { candidates = { { content = { parts = { { text = "Hel" } } } } } },
      { candidates = { { content = { parts = { { text = "lo" } } }, finishReason = "STOP" } } } },
    body = '{"contents":[]}', streams = '{"contents":[]}',
    stream_path = "/v1beta/models/google/g:streamGenerateContent?alt=sse",
  },
}

for name, of in pairs(BOTH) do
  describe("client:" .. name, function()
    it("sends what its protocol wants, beside base_url", function()
      local client, server = new()
      server:reply { body = of.whole }:reply { sse = of.sse }
      local res = of.call(client)
      assert.same({ "Hi", "stop", { input = 3, output = 4, total = 7 } },
        { res:output_text(), res:finish_reason(), res:usage() })
      assert.equal("Hi", tostring(res))
      assert.equal("Hello", of.call(client, true):collect():output_text())
      local plain, streamed = server.requests[1], server.requests[2]
      assert.same({ "POST", "https://gate.example" .. of.folder .. of.path, of.body, KEY, nil },
        { plain.method, plain.url, plain.body, plain.headers[of.key], plain.headers.authorization })
      assert.same({ "https://gate.example" .. of.folder .. of.stream_path, of.streams,
        "text/event-stream, application/json" }, { streamed.url, streamed.body, streamed.headers.accept })
      assert.equal(name == "messages" and "2023-06-01" or nil, plain.headers["anthropic-version"])
      assert.is_string(plain.headers["idempotency-key"])
      assert.equal(2, client:stats().calls)
    end)

    it("goes where an option says, and beside a base URL without /v1", function()
      for base, url in pairs {
        ["https://gate.example/v1/"] = "https://gate.example" .. of.folder,
        ["http://127.0.0.1:9"] = "http://127.0.0.1:9" .. of.folder,
        ["https://a/x/v1"] = "https://a/x" .. of.folder,
      } do
        local client, server = new { base_url = base }
        of.call(client, nil, nil, server:reply { body = of.whole })
        assert.equal(url .. of.path, server.requests[1].url)
      end
      local client, server = new { [of.url] = "https://other.example/deep/" }
      of.call(client, nil, nil, server:reply { body = of.whole })
      assert.equal("https://other.example/deep" .. of.path, server.requests[1].url)
    end)

    it("takes a key from a function, none, or the program's own header", function()
      local asked = 0
      local client, server = new { api_key = function() asked = asked + 1 return KEY .. asked end, max_retries = 1 }
      server:reply { status = 500 }:reply { body = of.whole }
      of.call(client)
      assert.same({ KEY .. 1, KEY .. 2 }, { server.requests[1].headers[of.key], server.requests[2].headers[of.key] })
      client, server = new { api_key = false }
      of.call(client, nil, nil, server:reply { body = of.whole })
      assert.is_nil(server.requests[1].headers[of.key])
      client, server = new { headers = { [of.key] = "mine-0123456789", ["anthropic-version"] = "2030-01-01" } }
      of.call(client, nil, nil, server:reply { body = of.whole })
      assert.same({ "mine-0123456789", "2030-01-01" }, { server.requests[1].headers[of.key],
        server.requests[1].headers["anthropic-version"] })
    end)

    it("is streamed in every way", function()
      local client = new { transport = mock.new():always { sse = of.sse } }
      local texts, datas, chunks = {}, 0, 0
      for text in of.call(client, true):text() do texts[#texts + 1] = text end
      for data in of.call(client, true):data() do datas = datas + (json.decode(data) and 1 or 0) end
      for chunk in of.call(client, true):chunks() do chunks = chunks + (type(chunk) == "table" and 1 or 0) end
      assert.same({ { "Hel", "lo" }, #of.sse, #of.sse }, { texts, datas, chunks })
      local stream = of.call(client, true)
      assert.same({ "Hel", "lo", nil }, { stream:read(), stream:read(), stream:read() })
    end)

    it("shows its key nowhere", function()
      for _, key in ipairs { KEY, function() return KEY end } do
        local said = {}
        local client, server = new { api_key = key, max_retries = 1,
          logger = function(...) said[#said + 1] = json.encode { ... } end }
        server:always { status = 400, headers = { ["x-echo"] = KEY },
          body = { error = { message = of.key .. ": " .. KEY, type = "invalid_request_error" } } }
        for _, stream in ipairs { false, true } do
          local _, err = of.call(client, stream or nil)
          local shown = json.encode(err) .. tostring(err) .. table.concat(said) .. tostring(client)
          assert.is_nil(shown:find(KEY, 1, true))
          assert.is_truthy(err.message:find("***", 1, true))
        end
      end
    end)

    it("raises misuse", function()
      local client = new()
      assert.error_matches(function() client[name](3) end, "call it with a colon")
      assert.error_matches(function() client[name](client, 3) end, "params: expected a table, got a number")
      assert.error_matches(function() of.call(client, nil, { [of.url] = "https://a" }) end,
        "can be given to ofox.new only")
    end)
  end)
end

describe("client:generate_content", function()
  it("must know the model, whose id becomes a path", function()
    local client, server = new()
    for value, message in pairs {
      [""] = "params.model: expected a model id, got an empty string", [7] = "params.model: expected a model id, got 7",
      ["a/../b"] = "params.model: expected a model id, got a path with dots",
    } do
      assert.error_matches(function() client:generate_content { model = value } end, message, 1, true)
    end
    assert.error_matches(function() client:generate_content {} end, "it stands in the path", 1, true)
    assert.error_matches(function() client:generate_content { model = "m", stream = 1 } end,
      "params.stream: expected true or false, got 1", 1, true)
    server:always { body = ANSWER }
    local params = { model = "a b/ü?#", contents = {}, stream = false }
    client:generate_content(params)
    assert.same({ model = "a b/ü?#", contents = {}, stream = false }, params)
    assert.equal("/gemini/v1beta/models/a%20b/%C3%BC%3F%23:generateContent", server.requests[1].path)
    client:generate_content { model = "models/g", contents = {} } -- as Google's lists have it
    assert.equal("/gemini/v1beta/models/g:generateContent", server.requests[2].path)
    for i = 1, 200 do client:generate_content { model = "m" .. i, contents = {} } end
    assert.equal("/gemini/v1beta/models/m200:generateContent", server.requests[202].path)
  end)
end)

describe("a failure of Anthropic's", function()
  local rows = { { 400, "invalid_request_error" }, { 401, "authentication_error" }, { 402, "billing_error" },
    { 403, "permission_error" }, { 404, "not_found_error" }, { 413, "request_too_large", "invalid_request_error" },
    { 429, "rate_limit_error" }, { 500, "api_error", "internal_error" }, { 504, "timeout_error" },
    { 529, "overloaded_error", "service_unavailable" } }
  for _, row in ipairs(rows) do
    it("has its class: " .. row[2], function()
      local body = { type = "error", error = { type = row[2], message = "why" }, request_id = "req_7" }
      local client, server = new()
      server:reply { status = row[1], body = body }:reply { body = body }:reply { sse = { START, piece "Hi", body } }
      local function call(stream) return client:messages { model = "m", messages = {}, stream = stream } end
      local _, err = call()
      assert.same({ row[3] or row[2], "why", row[1], "req_7" }, { err.type, err.message, err.status, err.request_id })
      _, err = call()
      assert.same({ row[3] or row[2], "why", 200 }, { err.type, err.message, err.status })
      _, err = call(true):collect()
      assert.same({ row[3] or row[2], "why", 200, "partial", "Hi" },
        { err.type, err.message, err.status, err.reason, err.partial.text })
    end)
  end

  it("is retried unseen as the first event, and as the last of an opening", function()
    local client, server = new { max_retries = 2 }
    server:reply { sse = { OVERLOADED } }
    server:reply { sse = { START, { type = "ping" }, { type = "content_block_start", index = 0,
      content_block = { type = "text", text = "" } }, OVERLOADED } }
    server:reply { sse = { START, piece "Hi", STOP } }
    local stream = client:messages { model = "m", messages = {}, stream = true }
    assert.equal("Hi", stream:collect():output_text())
    local retries = stream:meta().retries
    assert.same({ "service_unavailable", "service_unavailable", 3 }, { retries[1].type, retries[2].type,
      stream:meta().attempts })
  end)

  it("moves on to another model, as in chat", function()
    local client, server = new { max_retries = 1, fallback = { "n" } }
    server:reply { status = 503 }:reply { body = MESSAGE }
    assert(client:messages { model = "m", messages = {} })
    for i, model in ipairs { "m", "n" } do assert.equal(model, json.decode(server.requests[i].body).model) end
  end)
end)

describe("what Anthropic's servers say of time", function()
  local function headers(of)
    local all = {}
    for name, value in pairs(of) do all["anthropic-ratelimit-" .. name] = value end
    return all
  end
  local function failed(of)
    local client, server = new()
    server:reply { status = 429, headers = of, body = { type = "error", error = { type = "rate_limit_error" } } }
    local _, err = client:messages { model = "m", messages = {} }
    return err
  end

  it("is a date, of what is used up", function()
    assert.equal(20, failed(headers { ["requests-remaining"] = 0, ["requests-reset"] = "2026-01-01T00:00:20Z",
      ["tokens-remaining"] = 100, ["tokens-reset"] = "2026-01-01T00:00:50Z" }).retry_after)
    local err = failed(headers { ["requests-limit"] = 50, ["requests-remaining"] = 3,
      ["requests-reset"] = "2026-01-01T00:00:20Z",
      ["input-tokens-remaining"] = 100, ["input-tokens-reset"] = "2026-01-01T00:00:10Z",
      ["output-tokens-limit"] = 8000, ["output-tokens-remaining"] = 0,
      ["output-tokens-reset"] = "2026-01-01T00:00:35Z" })
    assert.equal(35, err.retry_after)
    assert.same({ 50, 3, 20, 8000, 0, 35 }, { err.ratelimit.limit_requests, err.ratelimit.remaining_requests,
      err.ratelimit.reset_requests, err.ratelimit.limit_tokens, err.ratelimit.remaining_tokens,
      err.ratelimit.reset_tokens })
  end)

  it("is retry-after first", function()
    local all = headers { ["requests-remaining"] = 0, ["requests-reset"] = "2026-01-01T00:00:20Z" }
    all["retry-after"] = 7
    assert.equal(7, failed(all).retry_after)
  end)

  it("is ignored where it is junk", function()
    local junk = headers { ["requests-remaining"] = "none", ["requests-reset"] = "soon" }
    assert.equal(failed({}).retry_after, failed(junk).retry_after)
  end)
end)

describe("a failure of Gemini's", function()
  local rows = { { 400, "INVALID_ARGUMENT", "invalid_request_error" },
    { 401, "UNAUTHENTICATED", "authentication_error" },
    { 403, "PERMISSION_DENIED", "permission_error" }, { 404, "NOT_FOUND", "not_found_error" },
    { 429, "RESOURCE_EXHAUSTED", "rate_limit_error" }, { 500, "INTERNAL", "internal_error" },
    { 503, "UNAVAILABLE", "service_unavailable" }, { 504, "DEADLINE_EXCEEDED", "timeout_error" } }
  for _, row in ipairs(rows) do
    it("has its class and its word: " .. row[2], function()
      local body = { error = { code = row[1], message = "why", status = row[2], details = {
        { ["@type"] = "type.googleapis.com/google.rpc.RetryInfo", retryDelay = "13s" } } } }
      local client, server = new()
      server:reply { status = row[1], body = body }:reply { status = row[1], body = { body } }:reply { body = body }
      server:reply { sse = { { candidates = { { content = { parts = { { text = "Hi" } } } } } }, body } }
      local function call(stream) return client:generate_content { model = "m", contents = {}, stream = stream } end
      for i = 1, 3 do
        local _, err = call()
        assert.same({ row[3], row[2], tostring(row[1]), "why", i < 3 and row[1] or 200 },
          { err.type, err.server_type, err.code, err.message, err.status })
        if err.retryable then assert.equal(13, err.retry_after) end
      end
      local _, err = call(true):collect()
      assert.same({ row[3], row[2], "why", "partial", "Hi" },
        { err.type, err.server_type, err.message, err.reason, err.partial.text })
    end)
  end
end)
