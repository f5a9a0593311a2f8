-- The streams of Anthropic's and of Gemini's protocol: cut at every byte, broken off
-- anywhere, with errors at every place, and with ends that are none.
local collect = require "ofox.answer.collect"
local feed = require "support.feed"
local json = require "ofox.json"
local mock = require "ofox.mock"
local ofox = require "ofox"
local response = require "ofox.answer.response"

-- Of each protocol: events with names or without, what they come to, the last event
-- of the opening and the one that ends them.
local STREAMS = {
  messages = {
    opening = 3, last = 19, text = 'Hé "世😀', call = { id = "t1", name = "f" },
    { "message_start", '{"type":"message_start","message":{"id":"m","role":"assistant","model":"x","content":[],'
      .. '"usage":{"input_tokens":5,"output_tokens":1}}}' },
    { "ping", '{"type": "ping"}' },
    { "content_block_start", '{"type":"content_block_start","index":0,"content_block":{"type":"thinking",'
      .. '"thinking":"","signature":""}}' },
    { "content_block_delta", '{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta",'
      .. '"thinking":"hm\\ud83d"}}' },
    { "content_block_delta", '{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta",'
      .. '"thinking":"\\ude00"}}' },
    { "content_block_delta", '{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta",'
      .. '"signature":"c2ln"}}' },
    { "content_block_stop", '{"type":"content_block_stop","index":0}' },
    { "content_block_start", '{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}' },
    { "content_block_delta", '{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"H\195"}}' },
    { "content_block_delta", '{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"\169 "}}' },
    { "content_block_delta", '{"type":"content_block_delta","index":1,"delta":{"type":"text_delta",'
      .. '"text":"\\"世\\ud83d"}}' },
    { "content_block_delta", '{"type":"content_block_delta","index":1,"delta":{"type":"text_delta",'
      .. '"text":"\\ude00"}}' },
    { "content_block_stop", '{"type":"content_block_stop","index":1}' },
    { "content_block_start", '{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t1",'
      .. '"name":"f","input":{}}}' },
    { "content_block_delta", '{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta",'
      .. '"partial_json":"{\\"a\\":"}}' },
    { "content_block_delta", '{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta",'
      .. '"partial_json":"1}"}}' },
    { "content_block_stop", '{"type":"content_block_stop","index":2}' },
    { "message_delta", '{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}}' },
    { "message_stop", '{"type":"message_stop"}' },
  },
  gemini = {
    opening = 1, last = 9, text = 'Hé "世😀', call = { name = "f" },
    '{"modelVersion":"g","usageMetadata":{"promptTokenCount":5}}',
    '{"candidates":[{"content":{"parts":[{"text":"hm\\ud83d","thought":true}],"role":"model"}}]}',
    '{"candidates":[{"content":{"parts":[{"text":"\\ude00","thought":true,"thoughtSignature":"c2ln"}]}}]}',
    '{"candidates":[{"content":{"parts":[{"text":"H\195"}]}}]}',
    '{"candidates":[{"content":{"parts":[{"text":"\169 "}]}}]}',
    '{"candidates":[{"content":{"parts":[{"text":"\\"世\\ud83d"}]}}]}',
    '{"candidates":[{"content":{"parts":[{"text":"\\ude00"},{"functionCall":{"name":"f","willContinue":true}}]}}]}',
    '{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.a","numberValue":1}]}}]}}]}',
    '{"candidates":[{"content":{"parts":[]},"finishReason":"STOP","index":0}],'
      .. '"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":9}}',
  },
}
local ERRORS = {
  messages = { "error", '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}' },
  gemini = '{"error":{"code":503,"message":"Overloaded","status":"UNAVAILABLE","details":[]}}',
}

local function some(of, n, ...)
  local list = { ... }
  for i = n, 1, -1 do table.insert(list, 1, of[i]) end
  return feed.body(list)
end

local function bytes_of(body)
  local bytes = {}
  for i = 1, #body do bytes[i] = body:sub(i, i) end
  return bytes
end

for dialect, of in pairs(STREAMS) do
  local whole = some(of, of.last)

  -- Everything that programs see of a body, and what it comes to.
  local function seen(got)
    local answer = collect.answer(dialect, got.text, got.said, json.decode_piece)
    local partial = collect.partial(dialect, got.chunks, got.text, got.said, json.decode_piece, tostring)
    assert(json.encode(partial))
    return { text = got.text, texts = table.concat(got.texts), chunks = got.chunks, answer = json.encode(answer),
      code = got.failure and got.failure.code, calls = partial.tool_calls }
  end

  describe("a stream of " .. dialect, function()
    it("is the same however it is cut", function()
      local first = seen(feed.read({ whole }, { dialect = dialect }))
      assert.same({ of.text, of.text, nil }, { first.text, first.texts, first.code })
      local answer = json.decode(first.answer)
      local call = response.tool_calls(answer)[1]
      assert.same({ of.call.id, of.call.name, { a = 1 } }, { call.id, call.name, call.arguments })
      assert.same({ of.text, "hm😀", "tool_calls", { input = 5, output = 9, total = 14 } },
        { response.output_text(answer), response.reasoning(answer), response.finish_reason(answer),
          response.usage(answer) })
      feed.each_way(whole, function(got) assert.same(first, seen(got)) end, { dialect = dialect })
      for _, line_end in ipairs { "\r\n", "\r" } do
        local body = "\239\187\191" .. whole:gsub("\n", line_end)
        assert.same(first, seen(feed.read({ body }, { dialect = dialect })))
        assert.same(first, seen(feed.read(bytes_of(body), { dialect = dialect })))
      end
    end)

    it("broken off at any byte is what came by then, and an error", function()
      for n = 0, #whole - 1 do
        for _, outcome in ipairs { "ANSWERED", "TRUNCATED", "RESET" } do
          local saw = seen(feed.read({ whole:sub(1, n) }, { dialect = dialect, outcome = outcome }))
          local said = saw.text:gsub("\239\191\189$", "") -- a character that was cut
          assert.equal(of.text:sub(1, #said), said, n)
          assert.equal(saw.text, saw.texts, n)
          local is_whole = outcome == "ANSWERED" and n >= #whole - 2
          assert.equal(not is_whole and (outcome == "RESET" and "reset" or "truncated") or nil, saw.code, n)
          -- arguments are all there, or none
          local arguments = saw.calls[1] and saw.calls[1].arguments
          assert.is_true(arguments == nil or next(arguments) == nil or arguments.a == 1, n)
        end
      end
    end)

    it("may fail at any place", function()
      for n = 0, of.last - 1 do
        local body = some(of, n, ERRORS[dialect])
        for _, pieces in ipairs { { body }, bytes_of(body) } do
          local got = feed.read(pieces, { dialect = dialect, events = true })
          assert.same({ "service_unavailable", "Overloaded", n > of.opening }, { got.failure.type, got.failure.message,
            got.seen }, n)
        end
      end
    end)
  end)
end

-- Through a client: what a body is worth.
local SSE, JSON = { ["content-type"] = "text/event-stream" }, { ["content-type"] = "application/json" }
local CALLS = {
  messages = function(client) return client:messages { model = "m", max_tokens = 9, messages = {}, stream = true } end,
  gemini = function(client) return client:generate_content { model = "m", contents = {}, stream = true } end,
}

local function collected(dialect, body, headers)
  local client = ofox.new { api_key = "sk-secret-1234567890", errors = "return", max_retries = 0,
    transport = mock.new():reply { headers = headers or SSE, body = body } }
  local stream, err = CALLS[dialect](client)
  if not stream then return nil, err end
  return stream:collect()
end

describe("what ends a stream of a message", function()
  local of = STREAMS.messages
  local whole = some(of, of.last)

  it("is message_stop, whatever follows", function()
    local res = collected("messages", whole)
    for _, after in ipairs { feed.body { ERRORS.messages }, "data: no JSON\n\n", "data: [DONE]\n\n",
      "<html>no</html>\n", '{"error":{"message":"late"}}\n', whole } do
      assert.same(res, (collected("messages", whole .. after)), after)
    end
  end)

  it("is nothing else", function()
    for _, after in ipairs { "", "data: [DONE]\n\n", "event: message_stop\n", ": bye\n\n",
      'event: message_stop\ndata: {"type":"message_st' } do
      local _, err = collected("messages", some(of, of.last - 1) .. after)
      local partial = err.partial
      assert.same({ "stream_error", "truncated", of.text, "tool_use", { a = 1 }, 9 }, { err.type, err.code,
        partial.text, partial.finish_reason, partial.tool_calls[1].arguments, partial.usage.output_tokens }, after)
    end
    for _, body in ipairs { "", "\n\n", ": hi\n\n", some(of, 1), some(of, of.opening), "event: ping\ndata: {}\n\n" } do
      local _, err = collected("messages", body)
      assert.same({ "stream_error", "truncated", "max_retries" }, { err.type, err.code, err.reason }, body)
    end
  end)

  it("has the type that its data says, and that of its name where they say none", function()
    local lying = whole:gsub("event: content_block_delta", "event: message_stop")
    assert.same((collected("messages", whole)), (collected("messages", lying)))
    local bare = whole:gsub('"type":"content_block_delta",', ""):gsub('"type":"message_stop"', "")
    assert.same((collected("messages", whole)), (collected("messages", bare)))
  end)

  it("is in each chunk, said or named", function()
    local sse = feed.body { { "message_start", '{%s"message":{"content":[]}}' }, { "message_stop", '{%s"x":1}' } }
    for _, own in ipairs { "", '"type":null,', '"type":"",', '"type":7,' } do
      for _, decoder in ipairs { false, json.decode } do
        local client = ofox.new { api_key = false, json = decoder or nil,
          transport = mock.new():reply { headers = SSE, body = sse:format(own, own) } }
        local types = {}
        for chunk in CALLS.messages(client):chunks() do types[#types + 1] = chunk.type end
        assert.same({ "message_start", "message_stop" }, types, own)
      end
    end
  end)
end)

describe("what ends an answer of Gemini's", function()
  local of = STREAMS.gemini
  local whole = some(of, of.last)

  it("is a reason of each candidate, and the end of the body", function()
    local function candidate(index, reason)
      return json.encode { candidates = {
        { index = index, content = { parts = { { text = "x" } } }, finishReason = reason } } }
    end
    assert(collected("gemini", feed.body { candidate(0), candidate(1, "STOP"), candidate(0, "SAFETY") }))
    for _, list in ipairs { { candidate(0) }, { candidate(0), candidate(1, "STOP") },
      { candidate(0, "FINISH_REASON_UNSPECIFIED") }, { candidate(0, "") } } do
      local _, err = collected("gemini", feed.body(list))
      assert.same({ "stream_error", "truncated" }, { err.type, err.code })
    end
    for _, after in ipairs { "data: [DONE]\n\n",
      'data: {"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":9}}\n\n' } do
      assert.same((collected("gemini", whole)), (collected("gemini", whole .. after)))
    end
    local _, err = collected("gemini", whole .. feed.body { ERRORS.gemini })
    assert.same({ "service_unavailable", of.text }, { err.type, err.partial.text })
  end)

  it("is the refusal of a prompt, in events or whole", function()
    local refused = '{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":4}}'
    for _, body in ipairs { refused, feed.body { refused }, "[" .. refused .. "]" } do
      local res = assert(collected("gemini", body, body:find "^d" and SSE or JSON))
      assert.same({ "", "content_filter", {}, 4 }, { res:output_text(), res:finish_reason(), res:tool_calls(),
        res:usage().input }, body)
    end
    local _, err = collected("gemini", feed.body { '{"promptFeedback":{"safetyRatings":[{"category":"c"}]}}' })
    assert.equal("truncated", err.code)
  end)

  it("is an error alone at 200, in every shape", function()
    local busy = ERRORS.gemini
    for _, body in ipairs { busy, "[" .. busy .. "]", "data: " .. busy .. "\n\n", "data: [" .. busy .. "]\n\n",
      ": hi\n\n" .. busy, "event: error\ndata: " .. busy .. "\n\n" } do
      for _, headers in ipairs { SSE, JSON } do
        local _, err = collected("gemini", body, headers)
        assert.same({ "service_unavailable", "Overloaded", "max_retries" }, { err.type, err.message, err.reason }, body)
      end
    end
  end)
end)
