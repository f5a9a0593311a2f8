-- Which element of a list goes on in another one that comes later.
local collected = require "support.collected"
local ofox = require "ofox"

local collect, choice, call, STOP = collected.collect, collected.choice, collected.call, collected.STOP

describe("[S5] elements are the same if index, id and type do not differ:", function()
  local function calls(sse)
    sse[#sse + 1] = choice(ofox.object {}, "tool_calls")
    local list = {}
    for i, one in ipairs(collect(sse):tool_calls()) do
      list[i] = ("%s %s %s"):format(tostring(one.id), tostring(one.name), tostring(one.arguments_json))
    end
    return list
  end
  local AB = { 'a f {"x":1}', 'b g {"y":2}' }

  for name, sse in pairs {
    ["ids differ under one index"] = { call(0, "a", "f", '{"x":1}'), call(0, "b", "g", '{"y":2}') },
    ["ids differ, in fragments"] = { call(0, "a", "f", '{"x"'), call(0, "a", nil, ":1}"), call(0, "b", "g", '{"y"'),
      call(0, nil, nil, ":2}") },
    ["ids differ, fragments in turn"] = { call(0, "a", "f", '{"x"'), call(0, "b", "g", '{"y"'), call(0, "a", "f",
      ":1}"),
      call(0, "b", "g", ":2}") },
    ["an index each"] = { call(0, "a", "f", '{"x"'), call(1, "b", "g", '{"y"'), call(0, "", "", ":1}"),
      call(1, nil, nil, ":2}") },
    ["indexes as strings"] = { call("0", "a", "f", '{"x"'), call("1", "b", "g", '{"y"'), call(0, nil, nil, ":1}"),
      call("1", nil, nil, ":2}") },
    ["the later index first"] = { call(1, "b", "g", '{"y":2}'), call(0, "a", "f", '{"x":1}') },
    ["an id that comes later"] = { call(0, nil, "f", ""), call(0, "a", nil, '{"x":1}'), call(1, "", "g", '{"y"'),
      call(1, "b", nil, ":2}") },
    ["all that is known in each fragment"] = { call(0, "a", "f", ""), call(0, "a", "f", '{"x"'), call(0, "a", "f",
      ":1}"),
      call(1, "b", "g", ""), call(1, "b", "g", '{"y"'), call(1, "b", "g", ":2}") },
    ["two in one delta"] = { choice { tool_calls = {
      { index = 0, id = "a", ["function"] = { name = "f", arguments = '{"x":1}' } },
      { index = 1, id = "b", ["function"] = { name = "g", arguments = '{"y":2}' } } } } },
    ["one whole, then again"] = { call(0, "a", "f", '{"x":1}'), call(0, "a", "f", '{"x":1}'),
      call(0, "b", "g", '{"y":2}') },
    ["types differ"] = { choice { tool_calls = { { index = 0, type = "custom", id = "a",
      custom = { name = "f", input = '{"x":1}' } } } }, call(1, "b", "g", '{"y":2}') },
  } do
    it(name, function() assert.same(AB, calls(sse)) end)
  end

  it("another type is another entry", function()
    assert.same({ 'nil f {"x":1}', "nil g in" }, calls { choice { tool_calls = {
      { index = 0, type = "function", ["function"] = { name = "f", arguments = '{"x":1}' } } } },
      choice { tool_calls = { { index = 0, type = "custom", custom = { name = "g", input = "i" } } } },
      choice { tool_calls = { { index = 0, type = "custom", custom = { input = "n" } } } } })
  end)

  it("no id at all: arguments that have ended do not begin once more", function()
    assert.same({ ' f {"x":1}', ' f {"x":2}', ' g {"y":"{"}' }, calls { call(0, "", "f", '{"x":1}'),
      call(0, "", "f", '{"x":2}'), call(0, "", "g", '{"y":'), call(0, "", "g", '"{"'), call(0, "", "g", "}") })
  end)

  it("objects as arguments", function()
    local res = collect { call(0, "a", "f", { city = "Bern" }), call(0, "a", "f", { city = "Bern" }),
      call(1, "b", "g", ofox.object {}), call(1, "b", "g", '{"y"'), call(1, "b", "g", ":2}"), STOP }
    assert.same({ { city = "Bern" }, { y = 2 } }, { res:tool_calls()[1].arguments, res:tool_calls()[2].arguments })
  end)

  it("many under one index stay in their order", function()
    local sse, expected = {}, {}
    for i = 1, 30 do
      sse[i] = call(0, "id" .. i, "f", "{}")
      expected[i] = ("id%d f {}"):format(i)
    end
    assert.same(expected, calls(sse))
  end)
end)

describe("[S6] tool calls without an index:", function()
  local function calls(sse)
    sse[#sse + 1] = choice(ofox.object {}, "tool_calls")
    local list = {}
    for i, one in ipairs(collect(sse):tool_calls()) do
      list[i] = ("%s %s %s"):format(tostring(one.id), tostring(one.name), tostring(one.arguments_json))
    end
    return list
  end

  for name, row in pairs {
    ["arguments alone go on"] = { { call(nil, "a", "f", ""), call(nil, nil, nil, '{"x"'), call(nil, nil, nil, ":1}") },
      { 'a f {"x":1}' } },
    ["empty ids and names say nothing"] = { { call(nil, "a", "f", ""), call(nil, "", "", '{"x"'), call(nil, "", "",
      ":1}") },
      { 'a f {"x":1}' } },
    ["the index null"] = { { call(ofox.null, "a", "f", ""), call(ofox.null, ofox.null, ofox.null, '{"x":1}') },
      { 'a f {"x":1}' } },
    ["the same id"] = { { call(nil, "a", "f", ""), call(nil, "a", nil, '{"x"'), call(nil, "a", "f", ":1}") },
      { 'a f {"x":1}' } },
    ["the same name, no id"] = { { call(nil, nil, "f", '{"x"'), call(nil, nil, "f", ":1}") }, { 'nil f {"x":1}' } },
    ["another id"] = { { call(nil, "a", "f", '{"x":1}'), call(nil, "b", "f", '{"x"'), call(nil, nil, nil, ":2}") },
      { 'a f {"x":1}', 'b f {"x":2}' } },
    ["another name, no id"] = { { call(nil, nil, "f", '{"x":1}'), call(nil, nil, "g", ""), call(nil, nil, nil, "{}") },
      { 'nil f {"x":1}', "nil g {}" } },
    ["the same name once more"] = { { call(nil, nil, "f", '{"x":1}'), call(nil, nil, "f", '{"x":2}') },
      { 'nil f {"x":1}', 'nil f {"x":2}' } },
    ["an id that comes later"] = { { call(nil, nil, "f", ""), call(nil, "a", nil, '{"x":1}') }, { 'a f {"x":1}' } },
    ["an id before all else"] = { { choice { tool_calls = { { id = "a", type = "function" } } },
      call(nil, nil, "f", '{"x":1}') }, { 'a f {"x":1}' } },
    ["an index that is left out later"] = { { call(0, "a", "f", ""), call(nil, "a", nil, '{"x"'), call(nil, nil, nil,
      ":1}") },
      { 'a f {"x":1}' } },
    ["an index that comes later"] = { { call(nil, "a", "f", ""), call(0, "a", nil, '{"x"'), call(0, nil, nil, ":1}") },
      { 'a f {"x":1}' } },
    ["two in one delta"] = { { choice { tool_calls = { { ["function"] = { name = "f", arguments = '{"x":1}' } },
      { ["function"] = { name = "f", arguments = '{"x":1}' } } } } }, { 'nil f {"x":1}', 'nil f {"x":1}' } },
    ["two in one delta with ids"] = { { choice { tool_calls = {
      { id = "a", ["function"] = { name = "f", arguments = "" } }, { id = "b", ["function"] = { name = "f",
        arguments = "" } } } },
      call(nil, "a", nil, "{}"), call(nil, "b", nil, "[]") }, { "a f {}", "b f []" } },
    ["one and its rest in one delta"] = { { choice { tool_calls = { { id = "a", ["function"] = { name = "f",
      arguments = "{" } },
      { ["function"] = { arguments = "}" } } } } }, { "a f {}" } },
  } do
    it(name, function() assert.same(row[2], calls(row[1])) end)
  end

  it("the call that tools have replaced", function()
    local res = collect { choice { role = "assistant", ["function_call"] = { name = "get_", arguments = "" } },
      choice { ["function_call"] = { name = "weather", arguments = '{"x"' } },
      choice { ["function_call"] = { name = "get_weather", arguments = ":1}" } },
      choice({}, "function_call") }
    assert.same({ { name = "get_weather", arguments = { x = 1 }, arguments_json = '{"x":1}' } }, res:tool_calls())
    assert.equal("tool_calls", res:finish_reason())
  end)
end)
