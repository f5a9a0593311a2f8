-- The simulator stands in for the gateway: what it says is checked here with
-- plain LuaSocket against what the gateway documents.
local socket = require "socket"
local ltn12 = require "ltn12"
local http = require "socket.http"
local json = require "cjson.safe"
local mime = require "mime"
local proc = require "support.proc"

local INTERPRETER = proc.LUA

describe("the simulator", function()
  local url, parent, child

  setup(function()
    local listener = assert(socket.bind("127.0.0.1", 0))
    local _, port = listener:getsockname()
    child = proc.child(("%s examples/simulator.lua 0 --parent %d"):format(INTERPRETER, port))
    listener:settimeout(10)
    parent = assert(listener:accept())
    url = assert(parent:receive("*l"))
    listener:close()
  end)
  teardown(function()
    parent:close()
    child:stop()
  end)

  --- One request; the answer's body is decoded where it is JSON.
  local function ask(path, body, headers, method)
    local pieces = {}
    local payload = body and (type(body) == "string" and body or json.encode(body)) or ""
    local all = { ["authorization"] = "Bearer sk-sim-1", ["content-length"] = #payload }
    for name, value in pairs(headers or {}) do all[name] = value or nil end
    local ok, status, answered = http.request {
      url = url:gsub("/v1$", "") .. path, method = method or (body and "POST" or "GET"), headers = all,
      source = ltn12.source.string(payload), sink = ltn12.sink.table(pieces),
    }
    local text = table.concat(pieces)
    return ok and status, json.decode(text), answered, text, status
  end

  local function chat(model, headers, more)
    local params = { model = model, messages = { { role = "user", content = "hello" } } }
    for key, value in pairs(more or {}) do params[key] = value end
    return ask("/v1/chat/completions", params, headers)
  end

  local function events(text)
    local list = {}
    for data in text:gmatch("data: ([^\n]*)\n\n") do list[#list + 1] = json.decode(data) or data end
    return list
  end

  it("completes a chat, with the documented fields and headers", function()
    local status, body, headers = chat "openai/gpt-4o"
    assert.equal(200, status)
    assert.same({ "chat.completion", "openai/gpt-4o", "stop", "assistant" },
      { body.object, body.model, body.choices[1].finish_reason, body.choices[1].message.role })
    assert.matches("hello$", body.choices[1].message.content)
    assert.equal(body.usage.total_tokens, body.usage.prompt_tokens + body.usage.completion_tokens)
    assert.equal("100", headers["x-ratelimit-limit-requests"])
    assert.matches("^%d+$", headers["x-ratelimit-remaining-requests"])
    assert.matches("^%d+s$", headers["x-ratelimit-reset-requests"])
    assert.matches("^req_sim_%d+$", headers["x-request-id"])
  end)

  it("streams a chat: role, texts, finish, usage, [DONE]", function()
    local status, _, headers, text = chat("openai/gpt-4o", nil,
      { stream = true, stream_options = { include_usage = true } })
    local list, said = events(text), {}
    assert.same({ 200, "text/event-stream" }, { status, headers["content-type"] })
    assert.equal("assistant", list[1].choices[1].delta.role)
    for i = 2, #list - 3 do said[#said + 1] = list[i].choices[1].delta.content end
    assert.equal("This is the simulator. You said: hello", table.concat(said))
    assert.equal("stop", list[#list - 2].choices[1].finish_reason)
    assert.same({ {}, "[DONE]" }, { list[#list - 1].choices, list[#list] })
    assert.is_number(list[#list - 1].usage.total_tokens)
    local _, _, _, plain = chat("openai/gpt-4o", nil, { stream = true })
    assert.is_nil(plain:find("usage", 1, true))
  end)

  it("embeds, the same vector as decimals and as base64", function()
    local function embed(format)
      return select(2, ask("/v1/embeddings",
        { model = "openai/text-embedding-3-small", input = { "a", "b" }, dimensions = 6, encoding_format = format }))
    end
    local decimals, packed = embed "float", embed "base64"
    assert.same({ 2, 6, 0, 1 }, { #decimals.data, #decimals.data[1].embedding, decimals.data[1].index,
      decimals.data[2].index })
    assert.is_not.same(decimals.data[1].embedding, decimals.data[2].embedding)
    for i, row in ipairs(packed.data) do
      local bytes = mime.unb64(row.embedding)
      assert.equal(24, #bytes)
      for k = 1, 6 do
        local _, _, low, high = bytes:byte(4 * k - 3, 4 * k)
        local exponent = high % 128 * 2 + math.floor(low / 128) - 127
        assert.equal(decimals.data[i].embedding[k], (high > 127 and -1 or 1) * 2 ^ exponent)
      end
    end
    local _, usual = ask("/v1/embeddings", { model = "openai/text-embedding-3-small", input = "a" })
    assert.equal(1536, #usual.data[1].embedding)
  end)

  it("lists models without a key, and knows one by name", function()
    local status, body = ask("/v1/models", nil, { authorization = false })
    assert.equal(200, status)
    assert.equal("list", body.object)
    for _, path in ipairs { "/v1/models/openai/gpt-4o", "/v1/models/openai%2Fgpt-4o" } do
      assert.equal("openai/gpt-4o", select(2, ask(path)).id)
    end
    assert.equal(404, (ask "/v1/models/openai/none"))
  end)

  it("speaks Anthropic's protocol, streamed too", function()
    local KEY = { authorization = false, ["x-api-key"] = "sk-sim-1" }
    local params = { model = "anthropic/claude", max_tokens = 9, messages = { { role = "user", content = "hello" } } }
    local status, body = ask("/anthropic/v1/messages", params, KEY)
    assert.same({ 200, "message", "You said: hello", "end_turn" }, { status, body.type,
      body.content[1].text:match "You said.*", body.stop_reason })
    params.stream = true
    local _, _, _, text = ask("/anthropic/v1/messages", params, KEY)
    assert.matches('^event: message_start\ndata: {"type":"message_start"', text)
    assert.matches('event: message_stop\ndata: {"type":"message_stop"}\n\n$', text)
    params.stream = nil
    params.tools = { { name = "f", input_schema = { type = "object", properties = { a = { type = "integer" } } } } }
    _, body = ask("/anthropic/v1/messages", params, KEY)
    assert.same({ "tool_use", "f", { a = 1 } }, { body.stop_reason, body.content[1].name, body.content[1].input })
    status, body = ask("/anthropic/v1/messages", { model = "status/503", messages = params.messages }, KEY)
    assert.same({ 503, "error", "overloaded_error" }, { status, body.type, body.error.type })
    assert.equal(401, (ask("/anthropic/v1/messages", params, { authorization = false })))
  end)

  it("speaks Gemini's protocol, streamed too", function()
    local KEY = { authorization = false, ["x-goog-api-key"] = "sk-sim-1" }
    local params = { contents = { { parts = { { text = "hello" } } } } }
    local status, body = ask("/gemini/v1beta/models/google/g:generateContent", params, KEY)
    assert.same({ 200, "You said: hello", "STOP", "google/g" }, { status,
      body.candidates[1].content.parts[1].text:match "You said.*", body.candidates[1].finishReason, body.modelVersion })
    local _, _, _, text = ask("/gemini/v1beta/models/google/g:streamGenerateContent?alt=sse", params, KEY)
    assert.matches('^data: {"candidates":', text)
    assert.equal(1, select(2, text:gsub('"finishReason":"STOP"', "")))
    params.tools = { { functionDeclarations = { { name = "f" } } } }
    _, body = ask("/gemini/v1beta/models/google/g:generateContent", params, KEY)
    assert.equal("f", body.candidates[1].content.parts[1].functionCall.name)
    status, body = ask("/gemini/v1beta/models/status/429:generateContent", params, KEY)
    assert.same({ 429, "RESOURCE_EXHAUSTED", 429 }, { status, body.error.status, body.error.code })
    assert.equal(404, (ask("/gemini/v1beta/cachedContents", params, KEY)))
  end)

  it("makes images and responses, streamed too", function()
    local _, images = ask("/v1/images/generations", { model = "openai/gpt-image-1", prompt = "a cat", n = 2 })
    assert.equal(2, #images.data)
    assert.equal("\137PNG", mime.unb64(images.data[2].b64_json):sub(1, 4))
    local _, body, _, wire = ask("/v1/responses", { model = "openai/gpt-4o", input = "hello" })
    assert.matches("^resp_sim%d+$", body.id)
    assert.matches('"annotations":[]', wire, 1, true)
    assert.same({ "completed", "This is the simulator. You said: hello" },
      { body.status, body.output[1].content[1].text })
    local _, _, _, text = ask("/v1/responses", { model = "openai/gpt-4o", input = "hello", stream = true })
    local list = events(text)
    assert.matches("^event: response.created\ndata: ", text)
    local kinds = {}
    for i, event in ipairs(list) do
      assert.equal(i - 1, event.sequence_number)
      local kind = event.type:match "^response%.(.*)"
      if kind ~= "output_text.delta" or kinds[#kinds] ~= kind then kinds[#kinds + 1] = kind end
    end
    assert.equal("created in_progress output_item.added content_part.added output_text.delta output_text.done "
      .. "content_part.done output_item.done completed", table.concat(kinds, " "))
    assert.matches("^resp_sim%d+$", list[1].response.id)
  end)

  local SCHEMA = {
    type = "object", ["$defs"] = { node = { properties = { next = { ["$ref"] = "#/$defs/node" } } } },
    properties = {
      city = { type = "string" }, days = { type = "integer" }, wind = { type = "boolean" },
      unit = { enum = { "C", "F" } }, tags = { type = "array", items = { type = "number" } },
      place = { type = { "object", "null" }, properties = { lat = { type = "number" } } },
      chain = { ["$ref"] = "#/$defs/node" }, either = { anyOf = { { type = "boolean" }, { type = "null" } } },
    },
  }
  local MADE = '{"chain":{"next":null},"city":"example","days":1,"either":true,"place":{"lat":1},'
    .. '"tags":[1],"unit":"C","wind":true}'
  local TOOLS = {
    { type = "function", ["function"] = { name = "weather", parameters = SCHEMA } },
    { type = "function", ["function"] = { name = "time" } },
  }

  describe("given tools", function()
    it("calls the first, with arguments made from its schema", function()
      local _, body = chat("m", nil, { tools = TOOLS })
      local choice = body.choices[1]
      local call = choice.message.tool_calls[1]
      assert.same({ "tool_calls", json.null, 1, "function", "weather", MADE }, { choice.finish_reason,
        choice.message.content, #choice.message.tool_calls, call.type, call["function"].name,
        call["function"].arguments })
      assert.matches("^call_", call.id)
    end)

    it("calls the one that is chosen, or none", function()
      local _, body = chat("m", nil, { tools = TOOLS,
        tool_choice = { type = "function", ["function"] = { name = "time" } } })
      assert.same({ name = "time", arguments = "{}" }, body.choices[1].message.tool_calls[1]["function"])
      _, body = chat("m", nil, { tools = TOOLS, tool_choice = "none" })
      assert.same({ "stop", nil }, { body.choices[1].finish_reason, body.choices[1].message.tool_calls })
    end)

    it("streams the call in pieces", function()
      local list, pieces = events(select(4, chat("m", nil, { tools = TOOLS, stream = true }))), {}
      local call = list[2].choices[1].delta.tool_calls[1]
      assert.same({ 0, "weather", "" }, { call.index, call["function"].name, call["function"].arguments })
      for i = 3, #list - 2 do
        pieces[#pieces + 1] = list[i].choices[1].delta.tool_calls[1]["function"].arguments
      end
      assert.same({ 2, MADE }, { #pieces, table.concat(pieces) })
      assert.equal("tool_calls", list[#list - 1].choices[1].finish_reason)
    end)

    it("answers with what a tool said", function()
      local status, body = chat("m", nil, { tools = TOOLS, messages = {
        { role = "user", content = "Weather?" },
        { role = "assistant", tool_calls = { { id = "c", type = "function",
          ["function"] = { name = "weather", arguments = "{}" } } } },
        { role = "tool", tool_call_id = "c", content = "21 degrees" },
      } })
      assert.same({ 200, "stop", "This is the simulator. The tool said: 21 degrees" },
        { status, body.choices[1].finish_reason, body.choices[1].message.content })
    end)

    it("does so in responses, too", function()
      local params = { model = "m", input = "hi" }
      params.tools = { { type = "function", name = "weather", parameters = SCHEMA } }
      local _, body = ask("/v1/responses", params)
      assert.same({ "function_call", "weather", MADE },
        { body.output[1].type, body.output[1].name, body.output[1].arguments })
      params.input = { { role = "user", content = "hi" }, body.output[1],
        { type = "function_call_output", call_id = body.output[1].call_id, output = "21 degrees" } }
      assert.matches("The tool said: 21 degrees$", select(2, ask("/v1/responses", params)).output[1].content[1].text)
    end)
  end)

  it("says what it is told to, a word at a time", function()
    local headers = { ["x-sim-say"] = "Three small words", ["x-sim-pace"] = "0.05" }
    assert.equal("Three small words", select(2, chat("m", headers)).choices[1].message.content)
    assert.equal("Three small words",
      select(2, ask("/v1/responses", { model = "m", input = "hi" }, headers)).output[1].content[1].text)
    local started, said = socket.gettime(), {}
    local list = events(select(4, chat("m", headers, { stream = true })))
    for i = 2, #list - 2 do said[i - 1] = list[i].choices[1].delta.content end
    assert.same({ "Three", " small", " words" }, said)
    assert.is_true(socket.gettime() - started >= 0.05 * #list)
  end)

  it("keeps to a format that is asked for", function()
    local function content(format)
      return select(2, chat("m", nil, { response_format = format })).choices[1].message.content
    end
    assert.same({ answer = "This is the simulator. You said: hello" }, json.decode(content { type = "json_object" }))
    assert.equal(MADE, content { type = "json_schema", json_schema = { name = "x", schema = SCHEMA } })
    assert.equal("{}", content { type = "json_schema" })
    assert.matches("^This is", content { type = "text" })
    local _, body = ask("/v1/responses", { model = "m", input = "hi",
      text = { format = { type = "json_schema", name = "x", schema = SCHEMA } } })
    assert.equal(MADE, body.output[1].content[1].text)
  end)

  it("never runs out of requests unless --rpm says so", function()
    local headers
    for _ = 1, 110 do headers = select(3, ask "/v1/models/openai/gpt-4o") end
    assert.same({ "100", "99", "1s" }, { headers["x-ratelimit-limit-requests"],
      headers["x-ratelimit-remaining-requests"], headers["x-ratelimit-reset-requests"] })
  end)

  describe("answers", function()
    local E = "invalid_request_error"
    local rows = {
      -- model or path, status, type, code
      { "status/400", 400, E, "invalid_request" },
      { "status/401", 401, "authentication_error", "invalid_api_key" },
      { "status/402", 402, nil, "insufficient_credits" },
      { "status/403", 403, "permission_error", "permission_denied" },
      { "status/404", 404, "not_found_error", "model_not_found" },
      { "status/429", 429, "rate_limit_error", "rate_limit_exceeded" },
      { "status/500", 500, "internal_error", "internal_error" },
      { "status/502", 502, "upstream_error", "upstream_error" },
      { "status/503", 503, "service_unavailable", "service_unavailable" },
      { "status/529", 529 },
      { "quota/429", 429, "rate_limit_error", "insufficient_quota" },
      { "error-in-200", 200, "rate_limit_error", "rate_limit_exceeded" },
      { "sim/bad-gateway", 502, "upstream_error", "upstream_error" },
      { "sim/storm", 503, "service_unavailable", "service_unavailable" },
      { "no/such-model", 404, "not_found_error", "model_not_found" },
    }
    for _, row in ipairs(rows) do
      it(row[1], function()
        local status, body = chat(row[1])
        assert.same({ row[2], row[3], row[4] }, { status, body.error.type, body.error.code })
        assert.is_string(body.error.message)
      end)
    end

    for model, pattern in pairs {
      ["html/502"] = "^<!DOCTYPE html>.*<title>502", ["text/503"] = "^upstream connect", ["empty/500"] = "^$",
      ["broken/500"] = '^{"error":', ["broken-json"] = "^{", ["empty"] = "^$",
    } do
      it(model, function()
        local status, body, _, text = chat(model)
        assert.same({ tonumber(model:match "%d+") or 200, nil }, { status, body })
        assert.matches(pattern, text)
      end)
    end

    it("a key that is missing, wrong, or any other", function()
      for key, expected in pairs { ["sk-wrong-1"] = 401, ["pk-1"] = 401, ["sk-of-1"] = 200 } do
        assert.equal(expected, (chat("m", { authorization = "Bearer " .. key })))
      end
      local status, body = chat("m", { authorization = false })
      assert.same({ 401, "invalid_api_key" }, { status, body.error.code })
    end)

    it("requests that are wrong in themselves", function()
      assert.equal(400, (ask("/v1/chat/completions", "{")))
      local M = '"model":"m","messages":[{"role":"user","content":"x"}]'
      for _, row in ipairs {
        -- path, body, param
        { "chat/completions", '{"model":"m"}', "messages" },
        { "chat/completions", '{"model":"m","messages":null}', "messages" },
        { "chat/completions", '{"model":"m","messages":{}}', "messages" },
        { "chat/completions", '{"model":"m","messages":{"role":"user"}}', "messages" },
        { "chat/completions", '{"model":"m","messages":"x"}', "messages" },
        { "chat/completions", '{"model":"m","messages":["x"]}', "messages" },
        { "chat/completions", '{"messages":[{"role":"user","content":"x"}]}', "model" },
        { "chat/completions", '{"model":7,"messages":[{"role":"user","content":"x"}]}', "model" },
        { "chat/completions", "{" .. M .. ',"max_tokens":"10"}', "max_tokens" },
        { "chat/completions", "{" .. M .. ',"max_tokens":{}}', "max_tokens" },
        { "chat/completions", "{" .. M .. ',"tools":{"type":"function"}}', "tools" },
        { "chat/completions", "[1]", "model" },
        { "responses", '{"model":"m"}', "input" },
        { "responses", '{"model":"m","input":{}}', "input" },
        { "embeddings", '{"model":"m","input":7}', "input" },
        { "images/generations", '{"model":"m","prompt":[]}', "prompt" },
      } do
        local status, body = ask("/v1/" .. row[1], row[2])
        assert.same({ 400, E, "invalid_request", row[3] },
          { status, body.error.type, body.error.code, body.error.param }, row[2])
        assert.matches("'" .. row[3] .. "'", body.error.message, 1, true)
      end
      assert.equal(503, (ask("/v1/chat/completions", '{"model":"status/503","messages":{}}')))
      assert.equal(200, (ask("/v1/chat/completions", "{" .. M .. ',"max_tokens":null,"tools":[]}')))
      assert.equal(404, (ask("/v1/nothing", {})))
      local _, _, headers, text, code = ask("/chat/completions", {})
      assert.same({ 405, "text/html" }, { code, headers["content-type"] })
      assert.matches("405", text)
    end)

    it("breaks", function()
      assert.is_nil((chat "reset") or nil)
      local sock = assert(socket.connect("127.0.0.1", tonumber(url:match(":(%d+)/"))))
      sock:settimeout(5)
      local payload = '{"model":"cut","messages":[{"role":"user","content":"hello"}]}'
      sock:send("POST /v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer sk-1\r\nContent-Length: "
        .. #payload .. "\r\n\r\n" .. payload)
      local answer = sock:receive("*a")
      sock:close()
      assert.is_true(#answer:match("\r\n\r\n(.*)$") < tonumber(answer:match("Content%-Length: (%d+)")))
      local _, _, _, stream = chat("cut", nil, { stream = true })
      assert.is_nil(stream:find("[DONE]", 1, true))
      local list = events(select(4, chat("stream-error", nil, { stream = true })))
      assert.same({ 4, "upstream_error" }, { #list, list[4].error.type })
      list = events(select(4, chat("m", { ["x-sim-cut"] = "error", ["x-sim-words"] = 5 }, { stream = true })))
      assert.same({ 7, "upstream_error" }, { #list, list[7].error.type })
    end)

    it("silence", function()
      http.TIMEOUT = 0.1
      local ok, message = chat "stall"
      http.TIMEOUT = 60
      assert.same({ nil, nil }, { ok or nil, message })
    end)
  end)

  describe("fails for a time", function()
    it("by the model's name, for each call anew", function()
      local first, _, headers = chat "sim/flaky-429"
      assert.same({ 429, "2s", "0" },
        { first, headers["x-ratelimit-reset-requests"], headers["x-ratelimit-remaining-requests"] })
      assert.equal(200, (chat "sim/flaky-429"))
      assert.equal(429, (chat "sim/flaky-429"))
      assert.equal(200, (chat "sim/flaky-429"))
    end)

    it("by the idempotency key, calls side by side", function()
      local got = {}
      for _, key in ipairs { "a", "b", "a", "b", "a", "b" } do
        got[#got + 1] = chat("sim/flaky-503", { ["idempotency-key"] = key })
      end
      assert.same({ 503, 503, 503, 503, 200, 200 }, got)
    end)

    it("by headers, with any model", function()
      local want = { ["x-sim-status"] = 503, ["x-sim-times"] = 1, ["x-sim-retry-after"] = "7",
        ["x-sim-body"] = "html", ["idempotency-key"] = "h" }
      local status, _, headers, text = chat("openai/gpt-4o", want)
      assert.same({ 503, "7", "text/html" }, { status, headers["retry-after"], headers["content-type"] })
      assert.matches("<title>503", text)
      assert.equal(200, (chat("openai/gpt-4o", want)))
    end)

    it("by headers where the model's name leaves it open", function()
      local want = { ["x-sim-times"] = 1, ["x-sim-status"] = 500, ["idempotency-key"] = "n" }
      assert.equal(503, (chat("status/503", want)))
      assert.equal(200, (chat("status/503", want)))
    end)

    it("or is slow", function()
      local started = socket.gettime()
      assert.equal(200, (chat "slow/0.05"))
      assert.equal(200, (chat("m", { ["x-sim-delay"] = "0.05" })))
      assert.equal(401, (chat("m", { ["x-sim-delay"] = "0.05", authorization = "Bearer sk-wrong" })))
      assert.is_true(socket.gettime() - started >= 0.15)
    end)

    it("unless the gateway's own fallback has a better model", function()
      local status, body = chat("upstream/502", nil,
        { provider = { fallback = { "status/503", "anthropic/claude-sonnet-4.5" } } })
      assert.same({ 200, "anthropic/claude-sonnet-4.5" }, { status, body.model })
      assert.equal(502, (chat "upstream/502"))
      assert.equal(502, (chat("upstream/502", nil, { provider = { fallback = { "status/503" } } })))
      assert.equal(502, (chat("sim/bad-gateway", nil, { provider = { fallback = { "m" } } })))
    end)
  end)

  it("serves many connections at once", function()
    local socks = {}
    for i = 1, 50 do
      socks[i] = assert(socket.connect("127.0.0.1", tonumber(url:match(":(%d+)/"))))
      socks[i]:settimeout(5)
    end
    for _, sock in ipairs(socks) do sock:send("GET /v1/models/openai/gpt-4o HTTP/1.1\r\nConnection: close\r\n\r\n") end
    for _, sock in ipairs(socks) do
      assert.matches("^HTTP/1.1 200 OK\r\n", (sock:receive("*a")))
      sock:close()
    end
  end)

  it("keeps a connection, and survives garbage on another", function()
    local port = tonumber(url:match(":(%d+)/"))
    local bad, good = assert(socket.connect("127.0.0.1", port)), assert(socket.connect("127.0.0.1", port))
    bad:send("\22\3\1\2\0\1\0\1\252\3\3\n\r\n")
    bad:settimeout(5)
    local answer, _, partial = bad:receive("*a")
    assert.equal("", answer or partial)
    bad:close()
    good:settimeout(5)
    for _ = 1, 2 do
      good:send("GET /v1/models/openai/gpt-4o HTTP/1.1\r\n\r\n")
      local length
      repeat
        local line = assert(good:receive("*l"))
        length = tonumber(line:match("^Content%-Length: (%d+)")) or length
      until line == ""
      assert.matches("gpt%-4o", good:receive(length))
    end
    good:close()
  end)

  it("refuses more than --rpm requests a minute, and prints its help", function()
    local listener = assert(socket.bind("127.0.0.1", 0))
    local _, port = listener:getsockname()
    local other = proc.child(("%s examples/simulator.lua 0 --rpm 2 --parent %d"):format(INTERPRETER, port))
    local control = assert(listener:accept())
    listener:close()
    local mine, got = url, {}
    url = assert(control:receive("*l"))
    for i = 1, 3 do
      local status, _, headers = ask "/v1/models"
      got[i] = { status, headers["x-ratelimit-limit-requests"], headers["x-ratelimit-remaining-requests"] }
      local left = tonumber(headers["x-ratelimit-reset-requests"]:match("^(%d+)s$"))
      assert.is_true(left >= 1 and left <= 60)
    end
    url = mine
    assert.same({ { 200, "2", "1" }, { 200, "2", "0" }, { 429, "2", "0" } }, got)
    control:close()
    other:stop()
    local pipe = assert(io.popen(INTERPRETER .. " examples/simulator.lua --help"))
    local text = pipe:read("*a")
    pipe:close()
    for _, name in ipairs { "status/<n>", "sim/flaky%-429", "x%-sim%-times" } do assert.matches(name, text) end
  end)
end)
