-- Where a stream begins and ends: bodies cut at each byte, openings of any size,
-- a whole answer in the place of events.
local chance = require "support.chance"
local core = require "ofox.base.native" "core"
local feed = require "support.feed"
local ofox = require "ofox"
local server = require "support.server"

local DONE = "data: [DONE]\n\n"
local STOP = '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'

local function text(piece) return '{"choices":[{"index":0,"delta":{"content":"' .. piece .. '"}}]}' end

local function responses(last)
  return feed.body {
    '{"type":"response.created","response":{"id":"r","status":"in_progress"}}',
    '{"type":"response.output_text.delta","delta":"Hel","sequence_number":10}',
    { "response.output_text.delta", '{"delta":"lo"}' },
    last or '{"type":"response.completed","response":{"id":"r","output":[]}}',
  }
end

-- A message with its events as Anthropic's servers name them.
local function message(last)
  local list = {}
  for _, data in ipairs {
    '{"type":"message_start","message":{"id":"m","type":"message","content":[],"usage":{"input_tokens":3}}}',
    '{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}',
    '{"type":"ping"}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}',
    '{"type":"content_block_stop","index":0}',
    '{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}',
    '{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hel"}}',
    '{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"lo, \\ud83d"}}',
    '{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"\\ude00\228\184\150"}}',
    '{"type":"content_block_stop","index":1}',
    '{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}',
    last or '{"type":"message_stop"}',
  } do list[#list + 1] = { data:match '"type":"([%a_]+)"' or "other", data } end
  return feed.body(list)
end

-- The same answer as Gemini's servers give it.
local function gemini(last)
  local function part(inner, rest)
    return '{"candidates":[{"content":{"parts":[' .. inner .. '],"role":"model"},"index":0' .. (rest or "") .. "}]}"
  end
  return feed.body {
    part '{"text":"hm","thought":true}', part '{"text":"Hel"}', part '{"text":"lo, "},{"text":"\\ud83d"}',
    part '{"text":"\\ude00\228\184\150"}',
    last or part('{"text":"","thoughtSignature":"c2ln"}', ',"finishReason":"STOP"'),
  }
end

describe("[S13] a body that ends anywhere", function()
  -- body, the bytes from which on it is complete, dialect
  local chat = feed.body { '{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}', text "Hel",
    text "lo, \\ud83d", text "\\ude00\228\184\150" }
  local usage = feed.body { '{"choices":[],"usage":{"total_tokens":3}}' }
  local stop = feed.body { STOP }
  local bodies = {
    ["with a sentinel"] = { chat .. DONE, #chat + #"data: [DONE]" },
    ["with a reason"] = { chat .. stop, #chat + #stop - 2 },
    ["with a reason, usage and a sentinel"] = { chat .. stop .. usage .. DONE, #chat + #stop - 2 },
    ["with names and comments"] = { (": hi\n\n" .. chat .. DONE):gsub("data", "event: message\nid: 7\ndata") .. "",
      #((": hi\n\n" .. chat .. DONE):gsub("data", "event: message\nid: 7\ndata")) - 2 },
    ["with data over lines"] = { (chat .. stop):gsub(",", ",\ndata: ") .. "",
      #(chat .. stop):gsub(",", ",\ndata: ") - 2 },
    ["with other line ends"] = { (chat .. DONE):gsub("\n", "\r\n") .. "", #((chat .. DONE):gsub("\n", "\r\n")) - 4 },
    ["of a response"] = { responses(), #responses() - 2, "responses" },
    ["of a message"] = { message(), #message() - 2, "messages" },
    ["of a message and a sentinel"] = { message() .. DONE, #message() - 2, "messages" },
    ["of Gemini's"] = { gemini(), #gemini() - 2, "gemini" },
    ["of Gemini's that refuses"] = { feed.body { '{"promptFeedback":{"blockReason":"SAFETY"}}' },
      #feed.body { '{"promptFeedback":{"blockReason":"SAFETY"}}' } - 2, "gemini" },
    ["of a response that is incomplete"] = {
      responses '{"type":"response.incomplete","response":{"id":"r"}}',
      #responses '{"type":"response.incomplete","response":{"id":"r"}}' - 2, "responses" },
  }
  for name, row in pairs(bodies) do
    local body, complete, dialect = row[1], row[2], row[3]
    local whole = feed.read({ body }, { dialect = dialect })
    for outcome, code in pairs { ANSWERED = "truncated", TRUNCATED = "truncated", RESET = "reset" } do
      it(name .. " is whole or truncated: " .. outcome, function()
        assert.is_nil(whole.failure)
        for i = 1, #body do
          local got = feed.read({ body:sub(1, i) }, { dialect = dialect, outcome = outcome })
          if i < complete then
            assert.is_table(got.failure, i)
            assert.same({ "stream_error", code }, { got.failure.type, got.failure.code }, body:sub(1, i))
          elseif outcome == "ANSWERED" or i >= complete + 4 then
            assert.is_nil(got.failure, body:sub(1, i))
          elseif got.failure then
            assert.equal(code, got.failure.code)
          end
          assert.equal(got.text:gsub("�$", ""), whole.text:sub(1, #got.text:gsub("�$", "")))
          assert.equal(got.text, table.concat(got.texts))
        end
      end)
    end
  end

  it("within an event that is no JSON", function()
    for _, ending in ipairs { "data: {", "data: {broken}", "data: x\ndata: y\n", "event: x\ndata: nonsense\n" } do
      local got = feed.read { feed.body { text "a" } .. ending }
      assert.same({ "truncated", "a" }, { got.failure.code, got.text })
      got = feed.read { feed.body { text "a", STOP } .. ending }
      assert.is_nil(got.failure)
      -- its blank line came: then it was complete
      got = feed.read { feed.body { text "a" } .. ending .. "\n\n" }
      assert.equal("invalid_json", got.failure.code)
    end
  end)

  it("delivers a last event that is whole", function()
    for _, last in ipairs { text "b", text "b" .. "\n" } do
      local got = feed.read { feed.body { text "a" } .. "data: " .. last }
      assert.same({ "ab", "truncated" }, { got.text, got.failure.code })
    end
    local got = feed.read({ feed.body { '{"a":1}' } .. 'data: {"b":2}' }, { dialect = "any", events = true })
    assert.same({ 2, nil }, { #got.events, got.failure })
  end)
end)

describe("[S13] a stream on a socket that ends within an event", function()
  local s
  setup(function() s = server.start() end)
  teardown(function() s:stop() end)
  before_each(function() s:reset() end)

  local events = server.events { "Hel", "lo" }
  local cut = events[1] .. events[2] .. events[3]:sub(1, 30)
  for name, step in pairs {
    ["content-length"] = { body = cut },
    ["chunks"] = { chunks = { cut } },
    ["chunks without the last"] = { chunks = { cut }, last_chunk = false, close = true },
    ["nothing"] = { body = cut, framing = "close", close = true },
  } do
    it("is truncated, framed by " .. name, function()
      step.headers = { ["Content-Type"] = "text/event-stream" }
      s:script { step }
      local client = ofox.new { base_url = s.url, api_key = "sk-of-ends-0123456789", proxy = false, max_retries = 0 }
      local stream = client:stream { model = "m", messages = {} }
      local seen = {}
      local ok, err = pcall(function() for piece in stream:text() do seen[#seen + 1] = piece end end)
      assert.is_false(ok)
      assert.same({ "stream_error", "truncated", { "Hel" }, "Hel" }, { err.type, err.code, seen, err.partial.text })
    end)
  end
end)

describe("[S9] a response", function()
  local open = responses "{}"
  it("is truncated by a sentinel that comes before its end", function()
    for _, sentinel in ipairs { DONE, "data: [DONE]\n", "data: [DONE]" } do
      feed.each_way(open .. sentinel, function(got)
        assert.same({ "stream_error", "truncated", "partial" }, { got.failure.type, got.failure.code, got.reason })
        assert.equal("Hello", got.text)
      end, { dialect = "responses" })
    end
    assert.equal("truncated", feed.read({ open }, { dialect = "responses" }).failure.code)
    assert.equal("wait", feed.read({ DONE }, { dialect = "responses",
      settings = { max_retries = 1, retry = "ofox" } }).state)
  end)

  it("of another protocol is so, too", function()
    for dialect, body in pairs { messages = message "{}", gemini = gemini "{}" } do
      feed.each_way(body .. DONE, function(got)
        assert.same({ "stream_error", "truncated", "partial" }, { got.failure.type, got.failure.code, got.reason })
        assert.equal("Hello, 😀世", got.text)
      end, { dialect = dialect })
    end
  end)

  it("has ended before a sentinel", function()
    for _, kind in ipairs { "completed", "incomplete" } do
      local body = responses('{"type":"response.' .. kind .. '","response":{}}') .. DONE
      feed.each_way(body, function(got)
        assert.is_nil(got.failure)
        assert.equal("Hello", got.text)
      end, { dialect = "responses" })
    end
  end)
end)

describe("[S14] an opening", function()
  local big = ("x"):rep(100 * 1024)
  local OPENINGS = {
    { "of a role", "chat", '{"choices":[{"delta":{"role":"assistant","content":""}}],"note":"' .. big .. '"}' },
    { "of a filter", "chat", '{"id":"","choices":[],"prompt_filter_results":[{"x":"' .. big .. '"}]}' },
    { "of a response", "responses", '{"type":"response.created","response":{"instructions":"' .. big .. '"}}' },
    { "of its progress", "responses", '{"type":"response.in_progress","response":{"instructions":"' .. big .. '"}}' },
    { "of a message", "messages", '{"type":"message_start","message":{"content":[],"note":"' .. big .. '"}}' },
    { "of a block", "messages", '{"type":"content_block_start","content_block":{"type":"tool_use","name":"' .. big
      .. '"}}' },
    { "of Gemini's", "gemini", '{"candidates":[{"content":{"role":"' .. big .. '"}}]}' },
    { "of an item", "responses", '{"type":"response.output_item.added","item":{"x":"' .. big .. '"}}' },
  }
  local settings = { max_retries = 1, retry = "ofox" }

  for _, row in ipairs(OPENINGS) do
    it(row[1] .. " of over 64 KiB is one: a break is retried unseen", function()
      for _, outcome in ipairs { "RESET", "TRUNCATED", "ANSWERED", "IDLE_TIMEOUT" } do
        for _, list in ipairs { { row[3] }, { row[3], row[3], row[3] } } do
          local got = feed.read({ feed.body(list) }, { dialect = row[2], settings = settings, outcome = outcome,
            events = true })
          assert.same({ "wait", false, {} }, { got.state, got.seen, got.events })
        end
      end
    end)

    it(row[1] .. " is given with what follows", function()
      local content = ({
        chat = text "a", responses = '{"type":"response.output_text.delta","delta":"a"}',
        messages = '{"type":"content_block_delta","delta":{"text":"a"}}',
        gemini = '{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}',
      })[row[2]]
      local got = feed.read({ feed.body { row[3], row[3], content } }, { dialect = row[2], events = true })
      assert.same({ row[3], row[3], content }, { got.events[1][1], got.events[2][1], got.events[3][1] })
      assert.equal("partial", got.reason)
    end)
  end

  it("may have large comments before it", function()
    local got = feed.read({ (": " .. big .. "\n\n"):rep(5), feed.body { OPENINGS[1][3] } }, { settings = settings,
      outcome = "RESET" })
    assert.same({ "wait", false }, { got.state, got.seen })
  end)

  it("has a bound: what one event may have", function()
    local list = {}
    for i = 1, 30 do list[i] = '{"choices":[],"note":"' .. ("y"):rep(4000) .. '"}' end
    local few = feed.read({ ": hi\n", feed.body(list) }, { settings = settings, outcome = "RESET" })
    assert.equal("wait", few.state)
    local many = feed.read({ ": hi\n", feed.body(list) }, { settings = { max_retries = 1, retry = "ofox",
      max_event_bytes = 5000 }, outcome = "RESET", events = true })
    assert.same({ "done", true, "partial" }, { many.state, many.seen, many.reason })
  end)

  describe("on a socket", function()
    local s
    setup(function() s = server.start() end)
    teardown(function() s:stop() end)

    it("is read to its end while nobody can see it", function()
      local SSE = { ["Content-Type"] = "text/event-stream" }
      local opening = "data: " .. OPENINGS[1][3] .. "\n\n"
      s:script {
        { headers = SSE, chunks = { { bytes = opening, times = 8 } }, last_chunk = false, close = true },
        { headers = SSE, chunks = { { bytes = opening, times = 8 }, feed.body { text "hello", STOP }, DONE } },
      }
      local client = ofox.new { base_url = s.url, api_key = "sk-of-ends-0123456789", proxy = false,
        retry = { base = 0.01, jitter = "none" } }
      local stream = client:stream { model = "m", messages = {} }
      local seen = 0
      for _ in stream do seen = seen + 1 end
      assert.same({ 10, 2 }, { seen, stream:meta().attempts })
    end)
  end)
end)

describe("[S11] a whole answer in the place of events", function()
  local function read(body, opts)
    opts.head = { "HTTP/1.1 200", "content-type: application/json", "content-length: " .. #body, "" }
    local results = {}
    for i, pieces in ipairs { { body }, { body:sub(1, 20), body:sub(21) } } do results[i] = feed.read(pieces, opts) end
    assert.same(results[1], results[2])
    return results[1]
  end

  for name, row in pairs {
    ["a chat"] = { "Hello", "chat", '{"id":"c","object":"chat.completion","choices":[{"index":0,"message":'
      .. '{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}' },
    ["a chat in parts"] = { "Hello", "chat", '{"choices":[{"message":{"content":[{"type":"text","text":"Hel"},'
      .. '{"type":"thinking","thinking":[]},{"type":"text","text":"lo"}]},"finish_reason":"stop"}]}' },
    ["a chat of two choices"] = { "a", "chat",
      '{"choices":[{"index":1,"message":{"content":"b"}},{"index":0,"message":{"content":"a"}}]}' },
    ["a chat of a tool"] = { "", "chat", '{"choices":[{"message":{"content":null,"tool_calls":[{"id":"t"}]}}]}' },
    ["a chat with half a character"] = { "a�", "chat", '{"choices":[{"message":{"content":"a\\ud83d"}}]}' },
    ["a response"] = { "Hello", "responses", '{"object":"response","output":[{"type":"reasoning","summary":[]},'
      .. '{"type":"message","content":[{"type":"output_text","text":"Hel"},{"type":"refusal","refusal":"x"},'
      .. '{"type":"output_text","text":"lo"}]}]}' },
    ["a message"] = { "Hello", "messages", '{"type":"message","content":[{"type":"thinking","thinking":"x"},'
      .. '{"type":"text","text":"Hel"},{"type":"tool_use","id":"t"},{"type":"text","text":"lo"}]}' },
    ["one of Gemini's"] = { "Hello", "gemini", '{"candidates":[{"content":{"parts":[{"text":"x","thought":true},'
      .. '{"text":"Hel"},{"functionCall":{}},{"text":"lo"}]},"finishReason":"STOP"}]}' },
    ["anything"] = { "", "any", '{"choices":[{"message":{"content":"Hello"}}]}' },
  } do
    it("is one chunk, " .. name, function()
      local got = read(row[3], { dialect = row[2], events = true })
      assert.is_nil(got.failure)
      assert.same({ { row[3], true, "" } }, got.events)
      assert.same({ 1, row[1] }, { got.chunks, got.text })
      assert.same(row[2] == "any" and {} or { { row[3], 0, #row[1], "" } }, got.said)
    end)

    it("has its text, " .. name, function()
      local got = read(row[3], { dialect = row[2] })
      assert.same({ row[1] == "" and { whole = row[3] } or row[1] }, got.texts)
    end)
  end

  it("may be as large as an answer may be", function()
    local body = '{"choices":[{"index":0,"message":{"content":"' .. ("x"):rep(900) .. '"}}]}'
    local got = read(body, { settings = { max_response_bytes = #body } })
    assert.same({ nil, ("x"):rep(900), 1 }, { got.failure, got.text, got.chunks })
  end)
end)

describe("events that differ in their text alone", function()
  local STRINGS = { "", "a", "Hello", '\\"', "\\ud83d", "\\ude00", "世", "\228\184", ("x"):rep(300), "\\u0000", "0" }
  local NUMBERS = { "0", "-1", "17", "1e3", "2.50", "12345678901234567890" }
  -- names, and text before, between and behind what differs
  local MODELS = {
    chat = {
      { "", '{"id":"c","choices":[{"index":0,"delta":{"content":"', '"},"finish_reason":null}],"usage":null}' },
      { "message", '{"obfuscation":"', '", "choices":[{"delta":{ "content" :"', '"}}],"obfuscation":"', '"}' },
      { "", '{"choices":[{"index":0,"delta":{"role":"assistant","content":"', '"}}]}' },
      { "", '{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"', '"}}]}}]}' },
    },
    responses = {
      { "", '{"type":"response.output_text.delta","sequence_number":#,"delta":"', '","obfuscation":"', '"}' },
      { "response.output_text.delta", '{"delta":"', '","sequence_number":#}' },
    },
  }
  MODELS.messages = {
    { "content_block_delta", '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"', '"}}' },
    { "", '{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"', '"} }' },
    { "", '{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"', '"}}' },
  }
  MODELS.gemini = {
    { "", '{"candidates":[{"content":{"parts":[{"text":"',
      '"}]}}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":#,"totalTokenCount":#}}' },
    { "", '{"candidates":[{"content":{"parts":[{"text":"', '"}],"role":"model"},"index":0}]}' },
    { "", '{"candidates":[{"content":{"parts":[{"text":"',
      '","thought":true}]}}],"usageMetadata":{"totalTokenCount":#}}' },
  }
  local function event(model)
    local data = model[2]
    for i = 3, #model do data = data .. chance.pick(STRINGS) .. model[i] end
    return { model[1], (data:gsub("#", function() return chance.pick(NUMBERS) end)) }
  end

  for dialect, models in pairs(MODELS) do
    it("come byte for byte, " .. dialect, function()
      chance.seed(5)
      for _ = 1, chance.ROUNDS do
        local sent, model = {}, nil
        for i = 1, 12 do
          if not model or chance.percent(30) then model = chance.pick(models) end
          sent[i] = event(model)
        end
        local body = feed.body(sent)
        local cut = chance.random(#body)
        for _, pieces in ipairs { { body }, { body:sub(1, cut), body:sub(cut + 1) } } do
          local got = feed.read(pieces, { dialect = dialect, events = true })
          assert.equal(#sent, #got.events)
          for i, one in ipairs(sent) do assert.same({ one[2], false, one[1] }, got.events[i]) end
        end
      end
    end)
  end

  it("can be let pass", function()
    local one = text(("x"):rep(1000))
    local call = core.call(core.template({ dialect = "chat" }, {}), 0)
    call:begin(0)
    for _, line in ipairs { "HTTP/1.1 200", "content-type: text/event-stream", "" } do call:head(line, 0) end
    for _ = 1, 100 do call:body(feed.body { one }, 0) end
    assert.equal(7, call:pass(7))
    assert.same({ one, false, "" }, { call:event() })
    assert.equal(92, call:pass())
    assert.equal(0, call:pass())
    assert.is_nil((call:event()))
  end)
end)
