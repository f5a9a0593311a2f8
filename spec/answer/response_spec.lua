local json = require "ofox.json"
local response = require "ofox.answer.response"

local function wrapped(value, meta, decoder)
  return response.wrap(value, function() return meta end, decoder)
end
local function wrap(value) return wrapped(value, { status = 200 }) end

local function chat(content)
  return wrap { choices = { { message = { role = "assistant", content = content } } } }
end

describe("output_text", function()
  local CASES = {
    { "a string", { choices = { { message = { content = "你好" } } } }, "你好" },
    { "the first choice", { choices = { { message = { content = "a" } }, { message = { content = "b" } } } }, "a" },
    { "parts", { choices = { { message = { content = {
      { type = "text", text = "a" }, { type = "image_url", image_url = {} }, { type = "text", text = "b" }, "c",
    } } } } }, "abc" },
    { "no content", { choices = { { message = {} } } }, "" },
    { "null content", { choices = { { message = { content = json.null } } } }, "" },
    { "[S4] a number as content", { choices = { { message = { content = 1 } } } }, "1" },
    { "[S4] parts that are numbers", { choices = { { message = { content = { 1, { text = 2 } } } } } }, "12" },
    { "[S4] one part", { choices = { { message = { content = { type = "text", text = "a" } } } } }, "a" },
    { "[S4] parts that are other than text", { choices = { { message = { content = {
      { type = "thinking", thinking = { { type = "text", text = "x" } } }, { type = "reasoning", text = "x" } } } } } },
      "" },
    { "parts that are none", { choices = { { message = { content = { true, { text = true }, {}, false } } } } }, "" },
    { "no choices", {}, "" },
    { "empty choices", { choices = {} }, "" },
    { "choices that are none", { choices = "x" }, "" },
    { "a choice that is none", { choices = { "x" } }, "" },
    { "a message that is none", { choices = { { message = "x" } } }, "" },
    { "output texts", { output = {
      { type = "message", content = { { type = "output_text", text = "0" }, { type = "other", text = "x" } } },
      { type = "reasoning", summary = {} },
      { type = "message", content = { { type = "output_text", text = "a" }, { type = "refusal", refusal = "no" } } },
      { type = "message", content = { { type = "output_text", text = "b" } } },
    } }, "0ab" },
    { "outputs that are none",
      { output = { 1, { content = "x" }, { content = { 1, { type = "output_text" } } } } }, "" },
    { "an output that is none", { output = json.null }, "" },
  }
  for _, case in ipairs(CASES) do
    it("is always a string: " .. case[1], function()
      assert.equal(case[3], wrap(case[2]):output_text())
    end)
  end
end)

describe("tool_calls", function()
  it("reads those of a chat", function()
    local res = wrap { choices = { { message = { tool_calls = {
      { id = "c1", type = "function", ["function"] = { name = "f", arguments = '{"a":[1,2]}' } },
      { id = "c2", type = "function", ["function"] = { name = "g", arguments = "{broken" } },
      { id = "c3", type = "function", ["function"] = { name = "h", arguments = "" } },
      { id = "c4", type = "function", ["function"] = { name = "i", arguments = "null" } },
      { id = "c5", type = "function", ["function"] = { name = "j", arguments = { a = 1 } } },
      { id = "c6", type = "custom", custom = { name = "k", input = "free text" } },
      { id = 7, ["function"] = {} },
      "junk",
    } } } } }
    assert.same({
      { id = "c1", name = "f", arguments = { a = { 1, 2 } }, arguments_json = '{"a":[1,2]}' },
      { id = "c2", name = "g", arguments_json = "{broken" },
      { id = "c3", name = "h", arguments = {}, arguments_json = "" },
      { id = "c4", name = "i", arguments_json = "null" },
      { id = "c5", name = "j", arguments = { a = 1 }, arguments_json = '{"a":1}' },
      { id = "c6", name = "k", arguments_json = "free text" },
      {},
    }, res:tool_calls())
  end)

  it("reads those of the Responses protocol", function()
    local res = wrap { output = {
      { type = "function_call", id = "fc_0", call_id = "call_0", name = "e", arguments = "[]" },
      { type = "message", content = {} },
      { type = "function_call", id = "fc_1", call_id = "call_1", name = "f", arguments = '{"a":1}' },
      { type = "function_call", id = "fc_2", name = "g", arguments = "" },
      json.null,
    } }
    assert.same({
      { id = "call_0", name = "e", arguments = {}, arguments_json = "[]" },
      { id = "call_1", name = "f", arguments = { a = 1 }, arguments_json = '{"a":1}' },
      { id = "fc_2", name = "g", arguments = {}, arguments_json = "" },
    }, res:tool_calls())
  end)

  it("is an empty list where there are none", function()
    for _, value in ipairs {
      {}, { choices = { { message = {} } } }, { choices = { { message = { tool_calls = json.null } } } },
      { output = {} }, { choices = 1, output = 1 },
    } do
      assert.same({}, wrap(value):tool_calls())
    end
  end)
end)

describe("output_json", function()
  it("decodes the text", function()
    assert.same({ a = 1 }, chat(' {"a":1}\n'):output_json())
    assert.equal(5, chat("5"):output_json())
    assert.is_false(chat("false"):output_json())
  end)

  it("says why it cannot", function()
    local value, message = chat("{nope"):output_json()
    assert.is_nil(value)
    assert.truthy(message:find("^the text of the answer is not JSON: "))
    assert.same({ nil, "the answer has no text" }, { chat(json.null):output_json() })
    assert.same({ nil, "the answer has no text" }, { chat(" \n"):output_json() })
  end)

  it("uses the program's own decoder", function()
    local function with(decoder)
      return wrapped({ choices = { { message = { content = '"xyz"' } } } }, {}, decoder):output_json()
    end
    assert.same({ '"XYZ"' }, with(function(text) return { text:upper() } end))
    assert.same({ nil, "the text of the answer is not JSON: no!" }, { with(function() error("no!", 0) end) })
    assert.same({ nil, "the text of the answer is not JSON: bad" }, { with(function() return nil, "bad" end) })
  end)
end)

describe("an answer", function()
  it("is plain to pairs", function()
    local keys = {}
    for key in pairs(wrap { id = "x", object = "y" }) do keys[#keys + 1] = key end
    table.sort(keys)
    assert.same({ "id", "object" }, keys)
    assert.equal('{"id":"x"}', json.encode(wrap { id = "x" }))
  end)

  it("has its meta; a field of the same name wins, ofox.meta finds it still", function()
    local meta = { status = 200 }
    local res = wrapped({}, meta)
    assert.equal(meta, res:meta())
    assert.equal(meta, response.meta(res))
    res = wrapped({ meta = "theirs", output_text = "theirs" }, meta)
    assert.equal("theirs", res.meta)
    assert.equal("theirs", res.output_text)
    assert.equal(meta, response.meta(res))
  end)

  it("is the only value that has one", function()
    for _, value in ipairs { 1, "x", {}, print, true } do assert.is_nil(response.meta(value)) end
    assert.is_nil(response.meta(nil))
    assert.is_nil(response.meta(0 / 0))
  end)

  it("is collected, its meta with it", function()
    local weak = setmetatable({}, { __mode = "v" })
    do
      local answer, meta = { id = "x" }, { status = 200 }
      -- as a hook of the program's may do
      local function refers() return answer, meta end
      weak.answer, weak.meta = response.wrap(answer, function() return meta, refers end, refers), meta
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(weak.answer)
    assert.is_nil(weak.meta)
  end)

  it("keeps the mark of an empty list", function()
    local list = wrapped(json.decode "[]", { status = 200 })
    assert.equal("[]", json.encode(list))
    assert.same({ status = 200 }, response.meta(list))
    assert.same({ status = 200 }, wrapped(json.decode "[1]", { status = 200 }):meta())
    local locked = setmetatable({}, { __metatable = "locked" })
    assert.equal(locked, wrapped(locked, {}))
    assert.same({}, response.meta(locked))
  end)

  it("is a table also where the value was none", function()
    assert.same({ value = "bytes" }, wrapped("bytes", {}))
    assert.same({ value = false }, wrapped(false, {}))
  end)
end)

describe("usage()", function()
  local function of(usage) return wrap { usage = usage, choices = {} }:usage() end

  for name, row in pairs {
    ["of a chat"] = { { prompt_tokens = 10, completion_tokens = 5, total_tokens = 15,
      prompt_tokens_details = { cached_tokens = 4 }, completion_tokens_details = { reasoning_tokens = 2 } },
      { input = 10, output = 5, total = 15, cached = 4, reasoning = 2 } },
    ["of a response"] = { { input_tokens = 10, output_tokens = 5, total_tokens = 15,
      input_tokens_details = { cached_tokens = 4 }, output_tokens_details = { reasoning_tokens = 2 } },
      { input = 10, output = 5, total = 15, cached = 4, reasoning = 2 } },
    ["of a message"] = { { input_tokens = 10, cache_read_input_tokens = 4, cache_creation_input_tokens = 3,
      output_tokens = 5 }, { input = 17, output = 5, total = 22, cached = 4 } },
    ["of a chat that counts its cache twice"] = { { prompt_tokens = 10, completion_tokens = 5,
      cache_read_input_tokens = 4 }, { input = 10, output = 5, total = 15, cached = 4 } },
    ["of vectors"] = { { prompt_tokens = 8, total_tokens = 8 }, { input = 8, total = 8 } },
    ["without a total"] = { { prompt_tokens = 1, completion_tokens = 2 }, { input = 1, output = 2, total = 3 } },
    ["with zeros"] = { { prompt_tokens = 0, completion_tokens = 0, total_tokens = 0 },
      { input = 0, output = 0, total = 0 } },
    ["half nonsense"] = { { prompt_tokens = "x", completion_tokens = 2, total_tokens = -1,
      prompt_tokens_details = { cached_tokens = {} } }, { output = 2 } },
    ["that says nothing"] = { { prompt_tokens = 1 / 0, x = 1, prompt_tokens_details = 5 }, nil },
    ["an empty object"] = { {}, nil }, ["an empty list"] = { json.decode "[]", nil }, ["a list"] = { { 1, 2 }, nil },
    ["a string"] = { "x", nil }, ["a number"] = { 5, nil }, ["a boolean"] = { false, nil },
  } do
    it("reads " .. name, function()
      assert.same(row[2], of(row[1]))
    end)
  end

  it("is nil where the answer has none", function()
    assert.is_nil(wrap({}):usage())
    for _, value in ipairs { 1, "x", {}, true } do assert.is_nil(response.usage(value)) end
    assert.is_nil(response.usage(nil))
  end)

  it("reads Gemini's", function()
    assert.same({ input = 10, output = 7, total = 17, cached = 4, reasoning = 2 },
      wrap({ usageMetadata = { promptTokenCount = 10, candidatesTokenCount = 5, thoughtsTokenCount = 2,
        totalTokenCount = 17, cachedContentTokenCount = 4 } }):usage())
  end)

  it("leaves the field what the server sent: plain, and the same as JSON", function()
    for _, text in ipairs { '{"usage":{"total_tokens":3}}', '{"usage":{}}', '{"usage":[]}', '{"usage":[1]}' } do
      local res = wrap(json.decode(text))
      res:usage()
      assert.equal(text, json.encode(res))
    end
    local res, keys = wrap { usage = { total_tokens = 3 } }, {}
    for key in pairs(res.usage) do keys[#keys + 1] = key end
    assert.same({ { "total_tokens" }, 3, { total = 3 } }, { keys, res.usage.total_tokens, res:usage() })
    assert.same({ total = 3 }, response.usage(res))
    assert.same({ total = 3 }, response.usage { usage = { total_tokens = 3 } })
  end)

  it("is hidden by a field that is no table, of what no model has answered", function()
    assert.equal(5.25, wrap({ usage = 5.25 }).usage)
    assert.is_nil(response.usage(wrap { usage = 5.25 }))
    assert.same({ value = 5 }, wrap({ usage = 5, output = {} }).usage)
  end)

  it("keeps integers", function()
    local res = wrap(json.decode '{"usage":{"prompt_tokens":123456789012}}')
    assert.equal('{"input":123456789012}', json.encode(res:usage()))
  end)
end)

describe("finish_reason()", function()
  local WORDS = {
    stop = "stop eos end_turn STOP stop_sequence", length = "length max_tokens MAX_TOKENS model_length",
    tool_calls = "tool_calls function_call tool_use", content_filter = "content_filter SAFETY refusal recitation "
      .. "IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION",
    something_new = "something_new", Odd = "Odd",
  }
  for reason, words in pairs(WORDS) do
    for word in words:gmatch "%S+" do
      it(("is %s where a protocol says %s"):format(reason, word), function()
        assert.equal(reason, wrap({ choices = { { message = {}, finish_reason = word } } }):finish_reason())
        assert.equal(reason, wrap({ stop_reason = word, content = {} }):finish_reason())
        assert.equal(reason, wrap({ candidates = { { finishReason = word } } }):finish_reason())
      end)
    end
  end

  local CALL = { type = "function_call", name = "f", arguments = "{}" }
  for name, row in pairs {
    ["completed"] = { { status = "completed", output = {} }, "stop" },
    ["completed with calls"] = { { status = "completed", output = { CALL } }, "tool_calls" },
    ["incomplete, of tokens"] = { { status = "incomplete", output = {},
      incomplete_details = { reason = "max_output_tokens" } }, "length" },
    ["incomplete, filtered"] = { { status = "incomplete", output = { CALL },
      incomplete_details = { reason = "content_filter" } }, "content_filter" },
    ["incomplete"] = { { status = "incomplete", output = {}, incomplete_details = 5 }, "incomplete" },
    ["cancelled"] = { { status = "cancelled", output = {} }, "cancelled" },
    ["in progress"] = { { status = "in_progress", output = {} }, nil },
  } do
    it("of a response that is " .. name, function() assert.equal(row[2], wrap(row[1]):finish_reason()) end)
  end

  it("is tool_calls where a server says stop and wants a call", function()
    local message = { tool_calls = { { id = "a", ["function"] = { name = "f" } } } }
    assert.equal("tool_calls", wrap({ choices = { { message = message, finish_reason = "stop" } } }):finish_reason())
    assert.equal("length", wrap({ choices = { { message = message, finish_reason = "length" } } }):finish_reason())
  end)

  it("is nil where nothing was said, and never raises", function()
    for _, value in ipairs { {}, { choices = 1 }, { choices = { 1 } }, { choices = { { finish_reason = 5 } } },
      { choices = { { finish_reason = "" } } },
      { output = 1, status = 5 }, { candidates = { 1 }, stop_reason = {} } } do
      assert.is_nil(wrap(value):finish_reason())
    end
    for _, value in ipairs { 1, "x", true } do assert.is_nil(response.finish_reason(value)) end
  end)
end)

describe("tostring", function()
  it("is the text of an answer, cut to a line", function()
    assert.equal("one line", tostring(chat "one line"))
    assert.equal("one line", tostring(chat " \n one line\n"))
    assert.equal("first …", tostring(chat "first\nsecond"))
    assert.equal(("a"):rep(120) .. " …", tostring(chat(("a"):rep(121))))
    assert.equal(("a"):rep(119) .. " …", tostring(chat(("a"):rep(119) .. "\195\169")))
    assert.equal(("é"):rep(60), tostring(chat(("é"):rep(60))))
    assert.equal("ofox.response without text", tostring(chat(nil)))
  end)
end)
