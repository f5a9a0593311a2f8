local json = require "ofox.json"
local response = require "ofox.response"

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
    { "a number as content", { choices = { { message = { content = 1 } } } }, "" },
    { "parts that are none", { choices = { { message = { content = { 1, { text = 2 }, {}, false } } } } }, "" },
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
      { id = "c3", name = "h", arguments_json = "" },
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
      { id = "fc_2", name = "g", arguments_json = "" },
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
