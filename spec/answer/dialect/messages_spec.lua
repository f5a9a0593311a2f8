-- What the events of a message add up to: what the call would have returned without
-- a stream.
local collected = require "support.collected"
local json = require "ofox.json"
local mock = require "ofox.mock"
local ofox = require "ofox"
local response = require "ofox.answer.response"

local function collect(sse, opts)
  local transport = mock.new():reply { sse = sse }
  local all = { api_key = "sk-secret-1234567890", transport = transport, errors = "return", max_retries = 0 }
  for name, value in pairs(opts or {}) do all[name] = value end
  local stream = assert(ofox.new(all):messages { model = "m", max_tokens = 9, messages = {}, stream = true })
  return stream:collect()
end

local START = { type = "message_start", message = { id = "msg_1", type = "message", role = "assistant", model = "m",
  content = json.array(), stop_reason = json.null, stop_sequence = json.null,
  usage = { input_tokens = 25, output_tokens = 1, cache_read_input_tokens = 7 } } }
local STOP = { type = "message_stop" }
local function start(index, block) return { type = "content_block_start", index = index, content_block = block } end
local function stop(index) return { type = "content_block_stop", index = index } end
local function delta(index, fields) return { type = "content_block_delta", index = index, delta = fields } end
local function text(index, piece) return delta(index, { type = "text_delta", text = piece }) end
local function input(index, piece) return delta(index, { type = "input_json_delta", partial_json = piece }) end
local function reason(word, tokens)
  return { type = "message_delta", delta = { stop_reason = word }, usage = { output_tokens = tokens } }
end

describe("a message in events", function()
  it("has thinking with its signature, text, parallel tools with joined input, and usage", function()
    local res = assert(collect {
      START, { type = "ping" },
      start(0, { type = "thinking", thinking = "", signature = "" }),
      delta(0, { type = "thinking_delta", thinking = "Let me " }),
      delta(0, { type = "thinking_delta", thinking = "see" }),
      delta(0, { type = "signature_delta", signature = "EqQB" }), stop(0),
      start(1, { type = "redacted_thinking", data = "xyz" }), stop(1),
      start(2, { type = "text", text = "" }), text(2, "Hel"), text(2, "lo"), text(2, " there"), stop(2),
      start(3, { type = "tool_use", id = "t1", name = "get", input = ofox.object {} }),
      start(4, { type = "tool_use", id = "t2", name = "put", input = ofox.object {} }),
      input(3, ""), input(4, '{"b":'), input(3, '{"city": "Par'), input(4, "[1,2]}"), input(3, 'is"}'),
      stop(3), stop(4),
      start(5, { type = "tool_use", id = "t3", name = "now", input = ofox.object {} }), input(5, ""), stop(5),
      reason("tool_use", 89), STOP,
    })
    assert.same({
      { type = "thinking", thinking = "Let me see", signature = "EqQB" },
      { type = "redacted_thinking", data = "xyz" },
      { type = "text", text = "Hello there" },
      { type = "tool_use", id = "t1", name = "get", input = { city = "Paris" } },
      { type = "tool_use", id = "t2", name = "put", input = { b = { 1, 2 } } },
      { type = "tool_use", id = "t3", name = "now", input = {} },
    }, res.content)
    assert.same({ "msg_1", "message", "assistant", "m", "tool_use" }, { res.id, res.type, res.role, res.model,
      res.stop_reason })
    assert.same({ "Hello there", "tool_calls", "Let me see" }, { res:output_text(), res:finish_reason(),
      response.reasoning(res) })
    assert.same({ input = 32, output = 89, cached = 7, total = 121 }, res:usage())
    local calls = res:tool_calls()
    assert.same({ "t1", "get", { city = "Paris" } }, { calls[1].id, calls[1].name, calls[1].arguments })
    assert.same({ 3, {} }, { #calls, calls[3].arguments })
    assert.equal("{}", json.encode(res.content[6].input))
  end)

  it("keeps blocks and events that are not known, and citations", function()
    local res = assert(collect {
      START, { type = "new_event", x = 1 },
      start(0, { type = "web_search_tool_result", tool_use_id = "s", content = { { url = "u" } } }), stop(0),
      start(1, { type = "hologram", shape = "cube" }), delta(1, { type = "hologram_delta", shade = "re" }),
      delta(1, { type = "hologram_delta", shade = "d" }), stop(1),
      start(2, { type = "text", text = "", citations = json.array() }), text(2, "a"),
      delta(2, { type = "citations_delta", citation = { cited_text = "x" } }), text(2, "b"),
      delta(2, { type = "citations_delta", citation = { cited_text = "x" } }), stop(2), reason("end_turn", 1), STOP,
    })
    assert.same({
      { type = "web_search_tool_result", tool_use_id = "s", content = { { url = "u" } } },
      { type = "hologram", shape = "cube", shade = "red" },
      { type = "text", text = "ab", citations = { { cited_text = "x" }, { cited_text = "x" } } },
    }, res.content)
  end)

  it("keeps text where it belongs, however blocks alternate", function()
    local res = assert(collect { START, start(0, { type = "text", text = "" }), start(1, { type = "text", text = "<" }),
      text(0, "a"), text(1, "1"), text(1, "2"), text(0, "b"), text(0, "c"), text(1, "3"), input(2, "{}"), text(1, "4"),
      reason("end_turn", 1), STOP })
    assert.same({ "abc", "<1234" }, { res.content[1].text, res.content[2].text })
    assert.equal("abc<1234", res:output_text())
  end)

  it("needs no announcement, no index and no type beside its name", function()
    local got = collected.said("messages", {
      { '{"delta":{"type":"text_delta","text":"a"}}', "a", "content_block_delta" },
      { '{"delta":{"text":"b"}}', "b", "content_block_delta" },
      { '{"delta":{"stop_reason":"end_turn"}}', "", "message_delta" },
    })
    assert.same({ type = "message", role = "assistant", content = { { type = "text", text = "ab" } },
      stop_reason = "end_turn" }, got)
  end)

  it("keeps input that is no JSON as it came", function()
    local res = assert(collect { START, start(0, { type = "tool_use", id = "t", name = "f", input = ofox.object {} }),
      input(0, '{"a":'), input(0, "1"), stop(0), reason("max_tokens", 3), STOP })
    assert.same({ '{"a":1', nil, "length" }, { res:tool_calls()[1].arguments_json, res:tool_calls()[1].arguments,
      res:finish_reason() })
  end)

  it("joins halves of characters", function()
    local res = assert(collect { START, start(0, { type = "text", text = "" }),
      '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\ud83d"}}',
      '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\ude00"}}',
      start(1, { type = "tool_use", id = "t", name = "f" }),
      input(1, '{"a":"\\ud83d\\'), input(1, 'ude00"}'), reason("end_turn", 1), STOP })
    assert.same({ "😀", "😀" }, { res.content[1].text, res.content[2].input.a })
  end)

  it("counts no estimate of an event among a block's members", function()
    local res = assert(collect { START, start(0, { type = "thinking", thinking = "" }),
      delta(0, { type = "thinking_delta", thinking = "hm", estimated_tokens = 12 }),
      delta(0, { type = "signature_delta", signature = "s" }), reason("end_turn", 1), STOP })
    assert.same({ { type = "thinking", thinking = "hm", signature = "s" } }, res.content)
  end)

  it("has an input in each call, though none was said", function()
    local res = assert(collect { START, start(0, { type = "tool_use", id = "a", name = "f" }), stop(0),
      start(1, { type = "server_tool_use", id = "b", name = "g", input = "" }), input(1, " "),
      start(2, { type = "tool_use", id = "c", name = "h", input = json.null }), input(2, ""),
      start(3, { type = "tool_use", id = "d", name = "i", input = { a = 1 } }), reason("tool_use", 1), STOP })
    local inputs = {}
    for i, block in ipairs(res.content) do inputs[i] = json.encode(block.input) end
    assert.same({ "{}", "{}", "{}", '{"a":1}' }, inputs)
  end)

  it("is of the model that went on when another had failed", function()
    local res = assert(collect { START, start(0, { type = "text", text = "" }), text(0, "a"), stop(0),
      start(1, { type = "fallback", from = { model = "m" }, to = { model = "n" } }), stop(1), reason("end_turn", 1),
      STOP })
    assert.same({ "n", { model = "n" } }, { res.model, res.content[2].to })
  end)

  it("has the value of what a delta says at once", function()
    local res = assert(collect { START, start(0, { type = "compaction", content = json.null }),
      delta(0, { type = "compaction_delta", content = "sum", encrypted_content = "x" }), stop(0),
      { type = "message_delta", usage = { output_tokens = 5, iterations = { { output_tokens = 5 } } },
        delta = { stop_reason = "end_turn", container = { id = "c" }, stop_details = { type = "y" } },
        context_management = { applied_edits = { { type = "e" } } }, input_transformations = { { type = "t" } } },
      STOP })
    assert.same({ { type = "compaction", content = "sum", encrypted_content = "x" } }, res.content)
    assert.same({ { id = "c" }, { type = "y" }, { applied_edits = { { type = "e" } } }, { { type = "t" } } },
      { res.container, res.stop_details, res.context_management, res.input_transformations })
    assert.same({ input_tokens = 25, output_tokens = 5, cache_read_input_tokens = 7,
      iterations = { { output_tokens = 5 } } }, json.decode(json.encode(res.usage)))
  end)

  it("is the same with another decoder", function()
    local sse = { START, start(0, { type = "text", text = "" }), text(0, "a"), text(0, "b"), reason("end_turn", 1),
      STOP }
    assert.same(assert(collect(sse)), assert(collect(sse, { json = function(bytes) return json.decode(bytes) end })))
  end)
end)

describe("a message sent whole in answer to a stream request", function()
  it("is a chunk of its text, and the message when collected", function()
    local body = { id = "m", type = "message", role = "assistant", content = { { type = "text", text = "Hi" } },
      stop_reason = "end_turn", usage = { input_tokens = 1, output_tokens = 2 } }
    local transport = mock.new():reply { body = body }:reply { body = body }:reply { body = body }
    local client = ofox.new { api_key = "sk-secret-1234567890", transport = transport }
    local params = { model = "m", max_tokens = 9, messages = {}, stream = true }
    local chunk = client:messages(params):next()
    assert.same({ "content_block_delta", "Hi" }, { chunk.type, chunk.delta.text })
    assert.equal("Hi", client:messages(params):read())
    assert.same(body, client:messages(params):collect())
    assert.same(3, client:stats().tokens.input)
  end)
end)
