-- ofox against a server by others that speaks three protocols: what it understands of
-- what ofox sends, and that each of its answers and failures is read rightly.
local aimock = require "support.aimock"
local json = require "ofox.json"
local ofox = require "ofox"
local socket = require "socket"

local KEY, SCHEMA, PROTOCOLS, TEXT = aimock.KEY, aimock.SCHEMA, aimock.PROTOCOLS, aimock.TEXT
local control, received, last, call = aimock.control, aimock.received, aimock.last, aimock.call
local answers, answers_in_turn, client_of = aimock.answers, aimock.answers_in_turn, aimock.client

setup(aimock.start)
teardown(aimock.stop)
before_each(aimock.reset)

local function each(title, test) aimock.each(it, title, test) end

describe("[2.10] what aimock receives", function()
  each("is what was asked", function(protocol, stream)
    answers { content = "ok" }
    assert(call(protocol, stream))
    assert.equal(1, #received())
    local entry = last()
    local headers, body = entry.headers, entry.body
    assert.same({ "POST", stream and protocol.stream_path or protocol.path }, { entry.method, entry.path })
    assert.equal("application/json", headers["content-type"])
    assert.truthy(headers.accept:find(stream and "text/event-stream" or "application/json", 1, true))
    assert.truthy(headers["user-agent"]:find("^ofox%-lua/"))
    assert.truthy(headers["idempotency-key"])
    assert.equal(protocol.name == "messages" and "2023-06-01" or nil, headers["anthropic-version"])
    for _, name in ipairs { "authorization", "x-api-key", "x-goog-api-key" } do
      assert.equal(name == protocol.key, headers[name] ~= nil, name)
    end
    local most = body.max_tokens or body.max_output_tokens
    assert.same({ "o3/mini", 0.5, 9, stream }, { body.model, body.temperature, most,
      body.stream or false })
    assert.same({ { role = "system", content = "Be short." }, { role = "user", content = "Grüezi 🦊" } }, body.messages)
    assert.same({ { type = "function", ["function"] = { name = "weather", description = "it", parameters = SCHEMA } } },
      body.tools)
  end)

  each("has a key that it knows, or is refused", function(protocol, stream)
    answers { content = "ok" }
    local res, err = call(protocol, stream, client_of { api_key = "sk-of-nobody-0123456789" })
    assert.same({ nil, "authentication_error", "invalid_api_key", 401, "not_retryable" },
      { res, err.type, err.code, err.status, err.reason })
    assert.equal(0, #received())
    assert(call(protocol, stream))
  end)
end)

describe("[2.10] an answer of aimock", function()
  each("has its text, its end, its tokens and its id", function(protocol, stream)
    answers { content = TEXT, usage = { prompt_tokens = 7, completion_tokens = 9 } }
    local res = assert(call(protocol, stream))
    assert.same({ TEXT, "stop", {} }, { res:output_text(), res:finish_reason(), res:tool_calls() })
    assert.same({ input = 7, output = 9, total = 16 }, res:usage())
    assert.same({ 200, 1, last().headers["x-request-id"], "o3/mini" },
      { res:meta().status, res:meta().attempts, res:meta().request_id, res:meta().model_requested })
  end)

  it("is streamed piece by piece: text, read and data", function()
    answers { content = TEXT }
    for _, protocol in ipairs(PROTOCOLS) do
      local params = { model = "o3/mini", stream = true }
      for name, value in pairs(protocol.params) do params[name] = value end
      local client, pieces, data = client_of { errors = "raise" }, {}, 0
      for text in client[protocol.name](client, params):text() do pieces[#pieces + 1] = text end
      assert.same({ TEXT, true }, { table.concat(pieces), #pieces > 5 })
      local stream, read = client[protocol.name](client, params), {}
      for piece in function() return stream:read() end do read[#read + 1] = piece end
      assert.same(pieces, read)
      for event in client[protocol.name](client, params):data() do
        data = data + 1
        assert.equal("table", type(json.decode(event)))
      end
      assert.truthy(data >= #pieces)
    end
  end)

  it("has characters that are cut in two", function()
    answers({ content = "🦊 and 🐺🐺" }, { chunkSize = 1 })
    for _, protocol in ipairs(PROTOCOLS) do
      assert.equal("🦊 and 🐺🐺", assert(call(protocol, true)):output_text(), protocol.name)
    end
  end)

  each("has calls of several tools beside its text", function(protocol, stream)
    answers { content = "Let me look.", toolCalls = {
      { id = "call_a", name = "weather", arguments = { city = "Zürich" } },
      { id = "call_b", name = "clock", arguments = ofox.object {} } } }
    local res = assert(call(protocol, stream))
    assert.same({ "Let me look.", "tool_calls" }, { res:output_text(), res:finish_reason() })
    assert.same({ { id = "call_a", name = "weather", arguments = { city = "Zürich" },
      arguments_json = '{"city":"Zürich"}' },
      { id = "call_b", name = "clock", arguments = {}, arguments_json = "{}" } },
      res:tool_calls())
  end)

  each("has calls of tools and no text", function(protocol, stream)
    answers { toolCalls = { { id = "call_a", name = "weather", arguments = { city = "Bern" } } } }
    local res = assert(call(protocol, stream))
    assert.same({ "", "tool_calls", 1, "Bern" }, { res:output_text(), res:finish_reason(), #res:tool_calls(),
      res:tool_calls()[1].arguments.city })
  end)

  each("has its blocks in their order, its thoughts apart from its text", function(protocol, stream)
    answers { reasoning = "I think of a fox", reasoningSignature = "c2ln", redactedThinking = { "ZGFyaw==" },
      blocks = { { type = "toolCall", id = "call_a", name = "weather", arguments = { city = "Bern" } },
        { type = "text", text = "in between" },
        { type = "toolCall", id = "call_b", name = "weather", arguments = { city = "Genf" } } } }
    local res = assert(call(protocol, stream))
    assert.same({ "in between", "tool_calls", "Bern", "Genf" }, { res:output_text(), res:finish_reason(),
      res:tool_calls()[1].arguments.city, res:tool_calls()[2].arguments.city })
    local order = {}
    if protocol.name == "chat" then
      order = { res.choices[1].message.reasoning_content }
    elseif protocol.name == "responses" then
      for i, item in ipairs(res.output) do order[i] = item.summary and item.summary[1].text or item.type end
    elseif protocol.name == "messages" then
      for i, block in ipairs(res.content) do order[i] = block.thinking and block.thinking .. block.signature
        or block.data or block.type end
    else
      for i, part in ipairs(res.candidates[1].content.parts) do
        order[i] = part.thought and part.text or part.text and "text" or "call"
      end
    end
    assert.same(({ chat = { "I think of a fox" },
      responses = { "I think of a fox", "function_call", "message", "function_call" },
      messages = { "ZGFyaw==", "I think of a foxc2ln", "tool_use", "text", "tool_use" },
      generate_content = { "I think of a fox", "call", "text", "call" } })[protocol.name], order)
  end)

  -- Not responses: aimock gives no incomplete_details, and says "failed" in response.completed; servers do neither.
  for reason, word in pairs { length = "length", content_filter = "content_filter" } do
    each("ends by " .. reason, function(protocol, stream)
      if protocol.name == "responses" then return end
      answers { content = "Grü", finishReason = reason }
      local res = assert(call(protocol, stream))
      assert.same({ "Grü", word }, { res:output_text(), res:finish_reason() })
    end)
  end

  each("is the same when it comes slowly", function(protocol, stream)
    answers({ content = TEXT }, { streamingProfile = { ttft = 20, tps = 1000 } })
    assert.equal(TEXT, assert(call(protocol, stream)):output_text())
  end)

  it("of Gemini may be sound", function()
    answers({ audio = { b64Json = "SUQz", contentType = "audio/mpeg" }, content = "listen" })
    for _, stream in ipairs { false, true } do
      local res = assert(call(PROTOCOLS[4], stream))
      assert.same({ mimeType = "audio/mpeg", data = "SUQz" }, res.candidates[1].content.parts[1].inlineData)
      assert.same({ "listen", "stop" }, { res:output_text(), res:finish_reason() })
    end
  end)
end)

local function failed(protocol, stream, client)
  local res, err = call(protocol, stream, client)
  assert.is_nil(res)
  return err
end

-- What a server of the protocol says, the status, our class, and the code that chat has.
local ERRORS = {
  { 400, "invalid_request_error", "INVALID_ARGUMENT", "invalid_request_error" },
  { 401, "authentication_error", "UNAUTHENTICATED", "authentication_error" },
  { 402, "billing_error", "BILLING", "billing_error" },
  { 403, "permission_error", "PERMISSION_DENIED", "permission_error" },
  { 404, "not_found_error", "NOT_FOUND", "not_found_error" },
  { 413, "request_too_large", "INVALID_ARGUMENT", "invalid_request_error" },
  { 429, "rate_limit_error", "RESOURCE_EXHAUSTED", "rate_limit_error" },
  { 500, "api_error", "INTERNAL", "internal_error" },
  { 503, "api_error", "UNAVAILABLE", "service_unavailable" },
  { 504, "timeout_error", "DEADLINE_EXCEEDED", "timeout_error" },
  { 529, "overloaded_error", "UNAVAILABLE", "service_unavailable" },
}

describe("[2.10] a failure of aimock", function()
  each("is of the class that it names", function(protocol, stream)
    for _, case in ipairs(ERRORS) do
      local status, word, gemini, class = table.unpack(case) -- luacheck: ignore 143
      control("/reset", {})
      answers { status = status, retryAfter = 7, error = { message = "No such luck", param = "model",
        code = "luck", type = protocol.name == "generate_content" and gemini or word } }
      local err = failed(protocol, stream)
      assert.same({ class, status, "No such luck", 1, last().headers["x-request-id"] },
        { err.type, err.status, err.message, err.attempts, err.request_id }, status)
      if protocol.path:find("^/v1/[cr]") then assert.same({ "luck", "model" }, { err.code, err.param }) end
      if status == 429 then
        assert.same({ 7, true, 60, 0 }, { err.retry_after, err.retryable, err.ratelimit.limit_requests,
          err.ratelimit.remaining_tokens })
      end
      assert.is_nil(tostring(err):find(KEY, 1, true))
    end
  end)

  each("ends, and the answer comes in another attempt", function(protocol, stream)
    answers_in_turn { { status = 503, error = { message = "later" } }, { status = 500, error = { message = "oh" } },
      { content = TEXT } }
    local res = assert(call(protocol, stream, client_of { max_retries = 2 }))
    assert.same({ TEXT, 3, 503, 500 }, { res:output_text(), res:meta().attempts, res:meta().retries[1].status,
      res:meta().retries[2].status })
    local all, keys = received(), {}
    for i, entry in ipairs(all) do keys[i] = entry.headers["idempotency-key"] end
    assert.same({ keys[1], keys[1], keys[1] }, keys)
  end)

  it("says how long to wait, and is waited for", function()
    answers_in_turn { { status = 429, retryAfter = 1, error = { message = "slow down" } }, { content = TEXT } }
    local waited
    local client = client_of { max_retries = 1, on_retry = function(err, delay, _, source)
      waited = { err.status, delay, source }
    end }
    local began = socket.gettime()
    local res = assert(call(PROTOCOLS[3], true, client))
    assert.same({ TEXT, 2, 429, "retry-after" }, { res:output_text(), res:meta().attempts, waited[1], waited[3] })
    assert.truthy(waited[2] >= 1)
    assert.truthy(socket.gettime() - began >= 1)
  end)
end)

-- The events before the first text.
local OPENING = { chat = 1, responses = 4, messages = 2, generate_content = 0 }

describe("[2.10] chaos of aimock", function()
  each("is told apart", function(protocol, stream)
    answers { content = TEXT }
    local function told(chaos)
      control("/chaos", chaos)
      local err = failed(protocol, stream)
      return { err.type, err.code, err.status, err.retryable, err.ambiguous }
    end
    assert.same({ "internal_error", "chaos_drop", 500, true, false }, told { dropRate = 1 })
    assert.same({ "rate_limit_error", "chaos_ratelimit", 429, true, false }, told { rateLimitRate = 1 })
    assert.same({ "response_error", stream and "not_event_stream" or "invalid_json", 200, false, true },
      told { malformedRate = 1 })
    assert.same({ "connection_error", "empty_reply", nil, true, true }, told { disconnectRate = 1 })
    control("/chaos", { latencyMs = 30 })
    assert.equal(TEXT, assert(call(protocol, stream)):output_text())
  end)

  each("that is slower than may be is a timeout", function(protocol, stream)
    answers { content = TEXT }
    control("/chaos", { latencyMs = 30000 })
    local err = failed(protocol, stream, client_of { timeout = 0.2, idle_timeout = 0.2 })
    assert.same({ "timeout_error", true }, { err.type, err.retryable })
  end)

  -- aimock's last piece is lost with its connection, and without a pause so are those before it.
  for at = 1, 9 do
    it(("cuts streams at piece %d, and what came is kept"):format(at), function()
      answers({ content = TEXT }, { truncateAfterChunks = at, latency = 5 })
      for _, protocol in ipairs(PROTOCOLS) do
        local err = failed(protocol, true)
        assert.is_true(err.retryable, protocol.name)
        if err.partial then
          assert.same({ "stream_error", "truncated", "partial" }, { err.type, err.code, err.reason })
          assert.truthy(#err.partial.text > 0)
          assert.equal(TEXT:sub(1, #err.partial.text), err.partial.text)
        else
          assert.truthy(err.type == "stream_error" or err.type == "connection_error")
        end
        assert.equal("truncateAfterChunks", last().response.interruptReason)
        assert.equal(at - 1 > OPENING[protocol.name], err.partial ~= nil, protocol.name)
      end
    end)
  end

  it("cuts a stream before its text, and another attempt is unseen", function()
    for _, protocol in ipairs(PROTOCOLS) do
      control("/reset", {})
      answers({ content = TEXT }, { match = { sequenceIndex = 0 }, truncateAfterChunks = 1, latency = 1 })
      answers({ content = TEXT }, { match = { sequenceIndex = 1 } })
      local res = assert(call(protocol, true, client_of { max_retries = 1 }))
      assert.same({ TEXT, 2 }, { res:output_text(), res:meta().attempts })
    end
  end)

  it("cuts a stream in the middle of the arguments of a tool", function()
    local arguments = { city = ("Bern "):rep(20) }
    answers({ toolCalls = { { id = "call_a", name = "weather", arguments = arguments } } },
      { truncateAfterChunks = 10, latency = 2 })
    for i = 1, 3 do -- Gemini sends a call in one piece
      local err = failed(PROTOCOLS[i], true)
      assert.same({ "stream_error", "truncated", "weather" }, { err.type, err.code, err.partial.tool_calls[1].name })
      assert.is_nil(err.partial.tool_calls[1].arguments)
      local json_text = err.partial.tool_calls[1].arguments_json
      assert.equal(('{"city":"' .. arguments.city):sub(1, #json_text), json_text)
    end
  end)

  it("ends a connection after a time", function()
    answers({ content = TEXT }, { latency = 20, disconnectAfterMs = 130 })
    for _, protocol in ipairs(PROTOCOLS) do
      local err = failed(protocol, true)
      assert.truthy(err.type == "stream_error" or err.type == "connection_error")
      assert.is_true(err.retryable)
    end
  end)
end)
