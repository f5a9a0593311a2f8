-- Strings that come in pieces.
local collected = require "support.collected"
local json = require "ofox.json"

local collect, said, message = collected.collect, collected.said, collected.message
local choice, call, STOP = collected.choice, collected.call, collected.STOP

describe("names come whole or in pieces:", function()
  for name, pieces in pairs {
    ["whole"] = { "get_weather" }, ["in pieces"] = { "get", "_", "weather" }, ["again"] = { "get_weather",
      "get_weather" },
    ["in pieces, then again"] = { "get_", "weather", "get_weather" }, ["so far"] = { "get_", "get_wea", "get_weather" },
    ["with nothing between"] = { "", "get_weather", "", "" },
  } do
    it(name, function()
      local sse = {}
      for i, piece in ipairs(pieces) do sse[i] = call(0, i == 1 and "a" or nil, piece, i == #pieces and "{}" or "") end
      sse[#sse + 1] = STOP
      assert.equal("get_weather", collect(sse):tool_calls()[1].name)
    end)
  end
end)

describe("[S7] arguments", function()
  for text, expected in pairs { [""] = {}, [" "] = {}, ["\n\t "] = {}, ["{}"] = {}, ['{"a":1}'] = { a = 1 } } do
    it(("%q are what they mean"):format(text), function()
      local one = collect { call(0, "a", "f", text), STOP }:tool_calls()[1]
      assert.same(expected, one.arguments)
      assert.equal(text, one.arguments_json)
    end)
  end

  it("that are no JSON are nil, absent ones are none", function()
    local res = collect { call(0, "a", "f", "{x"), call(1, "b", "g"), STOP }
    assert.is_nil(res:tool_calls()[1].arguments)
    assert.equal("{x", res:tool_calls()[1].arguments_json)
    assert.same({ id = "b", name = "g", arguments = {} }, res:tool_calls()[2])
  end)
end)

describe("[S8] halves that fall into two pieces are put together:", function()
  local HALF = "\239\191\189"
  local function twice(name, first, second)
    return message { ('{"%s":"a%s"}'):format(name, first), ('{"%s":"%sb"}'):format(name, second) }[name]
  end

  for _, name in ipairs { "content", "reasoning_content", "reasoning", "refusal", "whatever" } do
    it("in " .. name, function()
      assert.equal("a😀b", twice(name, "\\ud83d", "\\ude00"))
      assert.equal("a😀b", twice(name, "\\uD83D", "\\uDE00"))
      assert.equal("a世b", twice(name, "\228\184", "\150"))
      assert.equal("a世b", twice(name, "\228", "\184\150"))
      assert.equal("a" .. HALF .. "b", twice(name, "\\ud83d", ""))
      assert.equal("a" .. HALF .. "b", twice(name, "", "\\ude00"))
      assert.equal("a" .. HALF .. HALF .. "b", twice(name, "\\ude00", "\\ud83d"))
      assert.equal("a" .. HALF .. "😀b", twice(name, "\\ud83d\\ud83d", "\\ude00"))
      assert.equal("a" .. HALF .. "b", twice(name, "\228\184", ""))
    end)
  end

  it("in arguments, and in lists of parts", function()
    local res = collect { '{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":'
      .. '{"name":"f","arguments":"{\\"x\\":\\"\\ud83d"}}]}}]}',
      '{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\\ude00\\"}"}}]}}]}', STOP }
    assert.same({ x = "😀" }, res:tool_calls()[1].arguments)
    local got = message { '{"content":[{"type":"text","text":"\\ud83d"}]}', '{"content":"\\ude00"}',
      '{"content":[{"type":"thinking","thinking":[{"type":"text","text":"\\ud83d"}]}]}',
      '{"content":[{"type":"thinking","thinking":[{"type":"text","text":"\\ude00"}]}]}' }
    assert.same({ { type = "text", text = "😀" }, { type = "thinking", thinking = { { type = "text",
      text = "😀" } } } },
      got.content)
  end)

  it("and nothing invalid is left anywhere, in names either", function()
    local res = collect { '{"choices":[],"x":"\255","\\ud83d":{"y":["\\ude00\128"]}}', choice { content = "x" }, STOP }
    assert.equal(HALF, res.x)
    assert.same({ y = { HALF .. HALF } }, res[HALF])
    assert(json.encode(res))
  end)

  it("whatever the program's decoder is", function()
    local sse = { '{"choices":[{"index":1,"delta":{"content":"\\ud83d"}}]}',
      '{"choices":[{"index":1,"delta":{"content":"\\ude00"},"finish_reason":"stop"}]}' }
    local res = collect(sse, { json = require "cjson".decode })
    assert.equal("😀", res.choices[1].message.content)
    -- one that wants valid text has it
    local function strict(text)
      if json.join(text) ~= text then error("invalid UTF-8", 0) end
      return json.decode(text)
    end
    res = collect(sse, { json = strict })
    assert.equal(HALF .. HALF, res.choices[1].message.content)
  end)

  it("in the texts of a response", function()
    local got = said("responses", {
      { '{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","arguments":""}}' },
      { '{"type":"response.function_call_arguments.delta","output_index":0,"delta":"\\ud83d"}' },
      { '{"type":"response.function_call_arguments.delta","output_index":0,"delta":"\\ude00"}' } })
    assert.equal("😀", got.output[1].arguments)
  end)
end)

describe("a piece of a text that is valid", function()
  local take = require "ofox.answer.pieces".take
  it("has become its characters, and those that it completes", function()
    for _, row in ipairs {
      { "ab", "abc", "ab", "c" }, { "", "abc", "", "abc" }, { "ab", "ab", "ab", "" }, { "abc", "a", "a", "" },
      { "\169b", "éb", "éb", "" }, { "\169b", "ébc", "éb", "c" }, { "a\195", "aé", "a", "é" }, { "世", "世a", "世", "a" },
      { "\237\184\128b", "😀bc", "😀b", "c" }, { "a\237\160\189", "a😀", "a", "😀" }, { "\240\159", "😀", "", "😀" },
    } do
      local own, rest = take(row[1], row[2])
      assert.same({ row[3], row[4] }, { own, rest }, row[1])
    end
  end)
end)
